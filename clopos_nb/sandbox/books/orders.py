"""Orders that came in through the API, and the receipts that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from clopos_nb.sandbox.books.amounts import MOST, milli, minor
from clopos_nb.sandbox.books.errors import BooksError
from clopos_nb.sandbox.books.moments import Moment
from clopos_nb.sandbox.brand import till
from clopos_nb.sandbox.brand.catalogue import Catalogue, Item, Modificator
from clopos_nb.sandbox.brand.money import half_up, money
from clopos_nb.sandbox.brand.people import WAITERS
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.settings import CASH, SALE_TYPES
from clopos_nb.sandbox.brand.shift import Order
from clopos_nb.sandbox.brand.till import AMOUNT, NO_DISCOUNT, PERCENT, Line, Receipt
from clopos_nb.sandbox.brand.venues import Venue

_MOST_TOTAL = 10**14


class OrderDesk:
    """Makes orders of request bodies, and receipts of orders.

    Parameters
    ----------
    seed : int
        For what nobody asked about, such as the waiter.
    catalogue : Catalogue
        What can be ordered.
    """

    def __init__(self, seed: int, catalogue: Catalogue) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._items = {item.id: item for item in catalogue.items}
        self._modificators = {
            mod.id: mod for item in catalogue.items for _, mods in item.groups for mod in mods
        }

    def order(
        self,
        number: int,
        venue: Venue,
        moment: Moment,
        customer: Row | None,
        fields: Mapping[str, Any],
    ) -> Order:
        """Return a pending order.

        Parameters
        ----------
        number : int
            Its id.
        venue, moment
            Where and when it came in.
        customer : dict or None
            The customer's row; None for a guest.
        fields : mapping
            Body of POST /orders.

        Raises
        ------
        BooksError
            It cannot be turned into a receipt.
        """
        sale_type = fields["sale_type_id"]
        if sale_type not in SALE_TYPES:
            reason = "sale_type_id is not a sale type of this brand"
            raise BooksError(reason, "sale_type_id")
        lines = [self._line(line) for line in fields["products"]]
        fee = minor(fields.get("delivery_fee") or 0, "delivery_fee")
        day, second = moment
        luck = Random(f"{self._seed}:{number}:order").getrandbits(30)
        order = Order(
            number,
            venue,
            day,
            second,
            second,
            "PENDING",
            customer,
            sale_type,
            lines,
            None,
            fee,
            luck,
        )
        order.payload = self._payload(venue, fields)
        total = self.receipt(order, 0, 0, moment).total
        if abs(total) > _MOST_TOTAL:
            reason = "the total is too large"
            raise BooksError(reason, "products")
        meta: Row = (order.payload or {})["meta"]
        meta["orderTotal"] = f"{total // 100}.{total % 100:02d}00"
        return order

    def receipt(self, order: Order, number: int, rank: int, moment: Moment) -> Receipt:
        """Return the open receipt that an order becomes."""
        payload: Row = order.payload or {}
        meta = payload["meta"]
        day, second = moment
        lines = [replace(line) for line in order.lines]
        receipt = Receipt(number, order.venue, day, rank, second, order.sale_type, lines)
        receipt.updated = second
        receipt.order_id = order.id
        receipt.customer_id = order.customer["id"] if order.customer else None
        receipt.luck = Random(f"{self._seed}:{number}:written").getrandbits(30)
        receipt.waiter = WAITERS[receipt.luck % len(WAITERS)]
        receipt.discount_type, receipt.discount_value = _discount(meta["discount"])
        if receipt.discount_type == AMOUNT:
            most = sum(till.discountable(receipt))
            receipt.discount_value = min(receipt.discount_value, most)
        till.share_discount(receipt)
        if meta["apply_service_charge"]:
            receipt.service_rate = minor(meta["service_charge_value"], "service_charge.value")
        receipt.delivery_fee = order.delivery_fee
        till.add_up(receipt)
        receipt.written = {
            "order_status": "NEW",
            "order_number": payload["order_number"] or f"{rank + 1:03d}",
            "lock": False,
            "address": payload["customer"]["address"] or None,
            "description": meta["comment"],
        }
        return receipt

    def _line(self, fields: Mapping[str, Any]) -> Line:
        number = fields["product_id"]
        item = self._items.get(number)
        if item is None:
            row = self._catalogue.by_id.get(number)
            if row is None:
                reason = "product_id is not a product of this brand"
                raise BooksError(reason, "products")
            # Nobody should order an ingredient, and nothing documented forbids it.
            item = Item(
                row, "", minor(row["price"], "price"), self._catalogue.costs.get(number, 0), 0
            )
        modificators = tuple(self._modificator(each) for each in fields.get("modifiers") or ())
        return till.line_of(
            item,
            milli(fields["count"], "count"),
            milli(fields.get("portion_size", 1), "portion_size"),
            minor(fields["price"], "price"),
            modificators,
            added=0,
        )

    def _modificator(self, fields: Mapping[str, Any]) -> tuple[Modificator, int]:
        known = self._modificators.get(fields["modifier_id"])
        if known is None:
            reason = "modifier_id is not a modifier of this brand"
            raise BooksError(reason, "products")
        if not 0 < fields["count"] <= MOST:
            reason = "modifier count is out of range"
            raise BooksError(reason, "products")
        return replace(known, price=minor(fields.get("price") or 0, "price")), fields["count"]

    def _payload(self, venue: Venue, fields: Mapping[str, Any]) -> Row:
        customer = fields["customer"]
        own = customer.get("customer_discount_type") or 0
        discount = {"discount_type": 0, "discount_value": 0} | dict(fields.get("discount") or {})
        service = {"enabled": False, "value": 0} | dict(fields.get("service_charge") or {})
        return {
            "auto_order_accept": bool(fields.get("auto_order_accept")),
            "auto_order_sent_to_station": bool(fields.get("auto_order_sent_to_station")),
            "delivery_fee": fields.get("delivery_fee") or 0,
            "service": {
                "sale_type_id": fields["sale_type_id"],
                "venue_id": venue.id,
                "sale_type_name": SALE_TYPES[fields["sale_type_id"]][0],
                "venue_name": venue.name,
            },
            "customer": {
                "id": customer["id"],
                "phone": customer["phone"],
                "address": customer["address"],
                "customer_discount_type": own,
                "name": customer["name"],
            },
            "products": [self._stored(line) for line in fields["products"]],
            "meta": {
                "comment": fields.get("comment"),
                "discount": discount,
                "apply_service_charge": service["enabled"],
                "customer_discount_type": own,
                "service_charge_value": service["value"],
                "orderTotal": "",
            },
            "customer_id": customer["id"],
            "sale_type_id": fields["sale_type_id"],
            "payload_updated_at": None,
            "order_number": fields.get("order_number"),
        }

    def _stored(self, line: Mapping[str, Any]) -> Row:
        row = self._catalogue.by_id[line["product_id"]]
        mods = [
            {"modificator_id": mod["modifier_id"], "count": mod["count"]}
            for mod in line.get("modifiers") or ()
        ]
        return {
            "product_id": line["product_id"],
            "count": line["count"],
            "product_modificators": mods,
            "portion_size": line.get("portion_size", 1),
            "meta": {
                "price": line["price"],
                "order_product": {
                    "count": line["count"],
                    "status": line.get("status") or "new",
                    "product_modificators": mods,
                    "product_hash": line.get("product_hash"),
                    "product": {
                        "id": row["id"],
                        "name": line.get("product_name") or row["full_name"],
                        "price": line["price"],
                        "category_id": row["category_id"],
                        "station_id": row["station_id"],
                    },
                },
            },
        }


def _discount(given: Mapping[str, Any]) -> tuple[int, int]:
    kind, value = given["discount_type"], given["discount_value"]
    if kind not in (PERCENT, AMOUNT) or not value:
        return NO_DISCOUNT, 0
    if kind == PERCENT and value > 100:
        reason = "discount_value must be at most 100 percent"
        raise BooksError(reason, "discount")
    return kind, minor(value, "discount.discount_value")


def edited(receipt: Receipt, now: int) -> Receipt:
    """Return a receipt with one more of its first line, every sum after it, and the rest paid."""
    lines = [replace(line, receipt_discount=0) for line in receipt.lines]
    old = lines[0]
    step = -1000 if receipt.is_return else 1000
    line = till.line_of(
        old.item, old.count + step, old.portion, old.price, old.modificators, added=old.added
    )
    line.gift, line.discount_type, line.discount_value = (
        old.gift, old.discount_type, old.discount_value,
    )  # fmt: skip
    line.discount = old.discount
    if old.gift:
        line.discount = line.subtotal
    elif old.discount_type == PERCENT:
        line.discount = half_up(line.subtotal * old.discount_value, 10_000)
    lines[0] = line
    new = replace(receipt, lines=lines)
    till.share_discount(new)
    till.add_up(new)
    if new.closed is not None:
        new.payments = _topped_up(new.payments, new.total - receipt.total, new.total)
    new.updated = max(now, receipt.updated + 1)
    return new


def _topped_up(payments: Sequence[tuple[int, int]], more: int, total: int) -> list[tuple[int, int]]:
    if not payments:
        return [(CASH, total)] if total else []
    (method, amount), *rest = payments
    return [(method, amount + more), *rest]


def paid(receipt: Receipt, payments: Sequence[tuple[int, int]], closed: int, now: int) -> Receipt:
    """Return an open receipt paid and closed; the amounts must be its total."""
    if sum(amount for _, amount in payments) != receipt.total:
        reason = f"payment_methods must add up to {money(receipt.total)}"
        raise BooksError(reason, "payment_methods")
    if closed <= receipt.created:
        reason = "closed_at must be greater than created_at"
        raise BooksError(reason, "closed_at")
    written = dict(receipt.written or {})
    if written.get("order_status") not in (None, "PICKED_UP", "CANCELLED"):
        written["order_status"] = "COMPLETED"
    return replace(
        receipt,
        payments=list(payments),
        closed=closed,
        updated=max(now, closed, receipt.updated),
        written=written,
    )
