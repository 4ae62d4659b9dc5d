"""Receipts and orders as the API serves them, every documented and recorded field included."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.brand.catalogue import Catalogue
from clopos_nb.sandbox.brand.money import half_up, money, quantity
from clopos_nb.sandbox.brand.parts import (
    COMMENTS,
    address,
    line_meta,
    line_taxes,
    modificator,
    order_payload,
    product_hash,
)
from clopos_nb.sandbox.brand.people import CASHIER, COURIER, user_id
from clopos_nb.sandbox.brand.products import Row, fresh
from clopos_nb.sandbox.brand.settings import CARD, CASH, METHOD_NAMES, SALE_TYPES
from clopos_nb.sandbox.brand.shift import Order
from clopos_nb.sandbox.brand.stamps import Keys, iso, local, millis
from clopos_nb.sandbox.brand.till import NO_DISCOUNT, PERCENT, Line, Receipt
from clopos_nb.sandbox.brand.venues import APP, DELIVERY, IN

LINE_IDS = 16
"""Line ids are the receipt's id times this, plus the rank of the line."""

N = TypeVar("N", int, NDArray[np.int64])

_LEGACY = frozenset({"legacy"})
_TERMINAL_VERSION = "4.21.0"


def _rate(value: int, kind: int, amount: int, base: int) -> int | float:
    """Return a discount as a percentage, whatever way it was given."""
    if kind == NO_DISCOUNT or not base:
        return 0
    return money(value) if kind == PERCENT else money(half_up(amount * 10_000, base))


Parts = frozenset[str] | None
"""Which optional parts of a row are wanted; None is all of them. See ``Server``."""


def has(parts: Parts, name: str) -> bool:
    """Return whether a part is wanted."""
    return parts is None or name in parts


class Server:
    """Turns the brand's model into fresh rows.

    What is not asked for is not made. The parts of a receipt are ``legacy`` (everything that only
    older pages show), ``receipt_products``, ``receipt_products.product`` and
    ``receipt_products.modificators``; those of an order ``legacy``, ``customer`` and ``receipt``.

    Parameters
    ----------
    seed : int
        Of the brand; the keys of all rows follow from it.
    catalogue : Catalogue
        For the products that nest in lines.
    names : mapping
        User names by id, for the snapshot in ``meta``.
    """

    def __init__(self, seed: int, catalogue: Catalogue, names: Mapping[int, str]) -> None:
        self.receipt_keys = Keys(seed, "receipt")
        self._line_keys = Keys(seed, "line")
        self._shift_keys = Keys(seed, "cash shift")
        self._catalogue = catalogue
        self._names = names

    def receipt(self, receipt: Receipt, monthly: int, parts: Parts = None) -> Row:
        """Return a receipt, the first after ``monthly`` of its venue in this month and its rank."""
        row = self._receipt(receipt)
        if has(parts, "receipt_products"):
            row["receipt_products"] = self._lines(receipt, parts)
        if has(parts, "legacy"):
            self._add_legacy(row, receipt, monthly)
        if receipt.written:
            row.update(receipt.written)
        return row

    def _receipt(self, receipt: Receipt) -> Row:
        day, venue, luck = receipt.day, receipt.venue, receipt.luck
        closed = receipt.closed
        at_table = receipt.sale_type == IN
        charged = receipt.subtotal - receipt.line_discount
        return {
            "id": receipt.id,
            "cid": self.receipt_keys.cid(receipt.id),
            "venue_id": venue.id,
            "customer_id": receipt.customer_id,
            "sale_type_id": receipt.sale_type,
            "source": "web" if _from_web(receipt) else "pos",
            "guests": receipt.guests,
            "status": 1 if closed is None else 2,
            "order_status": _order_status(receipt),
            "order_number": None if at_table and luck % 3 else f"{receipt.rank + 1:03d}",
            "lock": closed is None and luck % 9 == 0,
            "total": money(receipt.total),
            "subtotal": money(receipt.subtotal),
            "discount_type": receipt.discount_type,
            "discount_value": money(receipt.discount_value),
            "discount_rate": _rate(
                receipt.discount_value, receipt.discount_type, receipt.receipt_discount, charged
            ),
            "total_discount": money(receipt.discount),
            "service_charge": money(receipt.service_rate),
            "service_charge_value": money(receipt.service_charge),
            "delivery_fee": money(receipt.delivery_fee),
            "remaining": money(receipt.total - receipt.paid),
            "i_tax": money(receipt.i_tax),
            "e_tax": money(receipt.e_tax),
            "total_tax": money(receipt.i_tax + receipt.e_tax),
            "payment_methods": [
                {"id": number, "name": METHOD_NAMES[number], "amount": money(amount)}
                for number, amount in receipt.payments
            ],
            "fiscal_id": f"{luck * 104_729:012X}" if closed is not None and luck % 10 < 7 else None,
            "loyalty_type": None,
            "loyalty_value": None,
            "address": address(luck) if receipt.sale_type == DELIVERY else None,
            "description": COMMENTS[luck % 6] if receipt.order_id is not None else None,
            "created_at": local(day, receipt.created),
            "updated_at": local(day, receipt.updated),
            "closed_at": None if closed is None else local(day, closed),
            "shift_date": day.isoformat(),
        }

    def _add_legacy(self, row: Row, receipt: Receipt, monthly: int) -> None:
        day, venue, luck = receipt.day, receipt.venue, receipt.luck
        closed = receipt.closed
        at_table = receipt.sale_type == IN
        cashier = user_id(venue.id, CASHIER)
        waiter = user_id(venue.id, receipt.waiter)
        gifts = [line.subtotal for line in receipt.lines if line.gift]
        paid = dict(receipt.payments)
        web = _from_web(receipt)
        terminal = terminal_id(venue.id, luck)
        row |= {
            "user_id": waiter if at_table else cashier,
            "open_by_user_id": waiter if at_table else cashier,
            "close_by_user_id": None if closed is None else cashier,
            "courier_id": user_id(venue.id, COURIER) if receipt.sale_type == DELIVERY else None,
            "seller_id": waiter if at_table else None,
            "terminal_id": terminal,
            "closed_terminal_id": None if closed is None else terminal,
            "service_notification_id": receipt.order_id,
            "table_id": venue.id * 100 + luck % 24 if at_table else None,
            "hall_id": venue.id * 10 + luck % 24 // 12 if at_table else None,
            "inventory_status": 0 if closed is None else 3,
            "report_status": 0,
            "suspicion": 0,
            "local_status": 0 if closed is None else 3,
            "customer_discount_type": int(receipt.customer_discount),
            "gift_count": len(gifts),
            "is_returns": receipt.is_return,
            "printed": closed is not None,
            "original_subtotal": money(receipt.subtotal),
            "gift_total": money(sum(gifts)),
            "by_cash": money(paid.get(CASH, 0)),
            "by_card": money(paid.get(CARD, 0)),
            "rps_discount": money(receipt.line_discount),
            "totalCost": money(sum(line.cost for line in receipt.lines)),
            "cash_shift_cid": self.cash_shift_cid(venue.id, day),
            "terminal_version": None if web else _TERMINAL_VERSION,
            "terminal_updated_at": None if web else row["updated_at"],
            "deleted_at": None,
            "meta": self._meta(receipt, waiter if at_table else cashier),
            "properties": []
            if web and luck % 5 == 0
            else {"daily_id": receipt.rank + 1, "monthly_id": monthly + receipt.rank + 1},
        }

    def cash_shift_cid(self, venue_id: int, day: date) -> str:
        """Return the UUID of a venue's cash shift of a business day."""
        return self._shift_keys.cid(venue_id * 100_000 + day.toordinal() % 100_000)

    def _meta(self, receipt: Receipt, user: int) -> Row:
        checked: Row = {
            "checked": receipt.closed is not None,
            "operated_at": local(receipt.day, receipt.updated),
            "fails": [],
        }
        return {
            "preprint_count": receipt.luck % 3 // 2,
            "sale_type": {"name": SALE_TYPES[receipt.sale_type][0]},
            "user": {"name": self._names.get(user, "")},
            "terminal_updated_at": millis(receipt.day, receipt.updated) + receipt.luck % 1000,
            "availiableDeposit": 0,
            "check_close_event": checked,
        }

    def _lines(self, receipt: Receipt, parts: Parts) -> list[Row]:
        legacy = has(parts, "legacy")
        with_modificators = legacy or has(parts, "receipt_products.modificators")
        with_product = has(parts, "receipt_products.product")
        rows = []
        for rank, line in enumerate(receipt.lines):
            number = receipt.id * LINE_IDS + rank
            made = self._line(receipt, line, number)
            if with_modificators:
                mods = [modificator(number, i, *entry) for i, entry in enumerate(line.modificators)]
                made["modificators"] = mods
            if with_product:
                made["product"] = self._catalogue.nested(line.item.id)
            # Behind the rest, where the API has what nests: then there is nothing to rearrange.
            made["meta"] = line_meta(receipt, line, legacy=legacy)
            if legacy:
                made |= _legacy_of_line(receipt, line, made["modificators"])
            rows.append(made)
        return rows

    def _line(self, receipt: Receipt, line: Line, number: int) -> Row:
        subtotal, discount = line.subtotal, line.discount
        kind, value = line.discount_type, line.discount_value
        created = local(receipt.day, receipt.created + line.added)
        return {
            "id": number,
            "cid": self._line_keys.cid(number),
            "product_id": line.item.id,
            "count": quantity(line.count),
            "portion_size": quantity(line.portion),
            "total": money(subtotal - discount),
            "price": money(line.price),
            "subtotal": money(subtotal),
            "is_gift": line.gift,
            "discount_type": kind,
            "discount_value": money(value),
            "discount_rate": _rate(value, kind, discount, subtotal),
            "total_discount": money(discount),
            "receipt_discount": money(line.receipt_discount),
            "loyalty_type": None,
            "loyalty_value": None,
            "created_at": created,
            "updated_at": created,
        }

    def order(
        self, order: Order, monthly: int, parts: Parts = None, *, receipt: Receipt | None
    ) -> Row:
        """Return an order; ``receipt`` is what now stands where it became one, if anything."""
        accepted = order.status in ("RECEIVED", "DELIVERED")
        row = {
            "id": order.id,
            "venue_id": order.venue.id,
            "type": "CALL_CENTER_ORDER",
            "integration": "call_center_new",
            "integration_uuid": None,
            "integration_id": None,
            "customer_ref_id": f"{order.luck * 7_919 + order.id:024x}"
            if order.luck % 10 == 0
            else None,
            "integration_status": "CREATED",
            "status": order.status,
            "payload": order_payload(order) if order.payload is None else fresh(order.payload),
            "integration_response": None,
            "created_at": iso(order.day, order.created),
            "updated_at": iso(order.day, order.updated),
        }
        if has(parts, "receipt"):
            # Its legacy fields too: choosing columns of the relation reaches those.
            row["receipt"] = self.receipt(receipt, monthly, _LEGACY) if receipt else None
        if has(parts, "customer"):
            row["customer"] = fresh(order.customer)
        if has(parts, "legacy"):
            row |= {
                "receive_user_id": user_id(order.venue.id, CASHIER) if accepted else None,
                "receive_terminal_id": order.venue.id * 10 + 1 if accepted else None,
                "customer_id": order.customer["id"] if order.customer else None,
                # A reference outlives the receipt, as a column without a constraint does.
                "receipt_id": order.receipt.id if order.receipt else None,
                "payment_status": "paid" if receipt and receipt.closed else "pending",
                "properties": None,
            }
        return row


def _legacy_of_line(receipt: Receipt, line: Line, modificators: list[Row]) -> Row:
    return {
        "receipt_id": receipt.id,
        "product_hash": product_hash(line),
        "preprint_count": 0,
        "station_printed_count": int(line.item.row["station_id"] is not None),
        "station_aborted_count": 0,
        "seller_id": user_id(receipt.venue.id, receipt.waiter),
        "cost": money(line.cost),
        "receipt_product_modificators": [
            {key: value for key, value in mod.items() if key != "modificator_group"}
            for mod in modificators
        ],
        "taxes": line_taxes(line),
        "terminal_updated_at": None,
        "deleted_at": None,
    }


def terminal_id(venue_id: int, luck: N) -> N:
    """Return the terminal that a receipt was opened on."""
    return venue_id * 10 + 1 + luck % 2


def _from_web(receipt: Receipt) -> bool:
    return receipt.order_id is not None or receipt.sale_type == APP


def _order_status(receipt: Receipt) -> str:
    if receipt.is_return:
        return "CANCELLED"
    if receipt.closed is None:
        return ("NEW", "IN_PROGRESS", "IN_PROGRESS", "READY")[receipt.luck % 4]
    if receipt.sale_type != IN and receipt.luck % 3 == 0:
        return "PICKED_UP"
    return "COMPLETED"
