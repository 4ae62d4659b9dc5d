"""The nested parts of receipts and orders, and choices the documentation leaves open."""

from __future__ import annotations

import base64
from typing import Any

from clopos_nb.sandbox.brand.catalogue import Modificator
from clopos_nb.sandbox.brand.money import half_up, money, quantity
from clopos_nb.sandbox.brand.products import EXCLUSIVE_TAX, INCLUDED_TAX, Row
from clopos_nb.sandbox.brand.settings import SALE_TYPES
from clopos_nb.sandbox.brand.shift import Order
from clopos_nb.sandbox.brand.stamps import millis
from clopos_nb.sandbox.brand.till import Line, Receipt
from clopos_nb.sandbox.brand.venues import DELIVERY

COMMENTS = (None, None, "Qapının zəngi işləmir", "Çəngəl-bıçaq qoymayın", None, "Acısız olsun")
_STREETS = ("Nar küçəsi", "Heyva prospekti", "Püstə döngəsi", "Zeytun küçəsi")
_MOST_MODIFICATORS = 8


def address(luck: int) -> str:
    """Return a made-up address."""
    return f"{_STREETS[luck % 4]} {1 + luck % 120}, mənzil {1 + luck % 57}"


def modificator(line_id: int, rank: int, mod: Modificator, count: int) -> Row:
    """Return an add-on of a receipt line; its shape is documented nowhere."""
    return {
        "id": line_id * _MOST_MODIFICATORS + rank,
        "receipt_product_id": line_id,
        "modificator_id": mod.id,
        "name": mod.name,
        "count": count,
        "price": money(mod.price),
        "modificator_group": {"id": mod.group_id, "name": mod.group_name},
    }


def product_hash(line: Line) -> str:
    """Return the id, or base64 of product id, count and modificator id strung together."""
    if not line.modificators:
        return str(line.item.id)
    text = ",".join(f"{line.item.id}{count}{mod.id}" for mod, count in line.modificators)
    return base64.b64encode(text.encode()).decode()


def line_taxes(line: Line) -> list[Row]:
    """Return the tax of one line; rounding makes these sum to the receipt's only about."""
    net = line.total - line.receipt_discount
    number, name, rate, amount = (
        (4, "Lounge rüsumu", EXCLUSIVE_TAX, half_up(net * EXCLUSIVE_TAX, 100))
        if line.item.exclusive_tax
        else (1, "ƏDV", INCLUDED_TAX, half_up(net * INCLUDED_TAX, 100 + INCLUDED_TAX))
    )
    return [{"id": number, "name": name, "rate": rate, "amount": money(amount)}]


def line_meta(receipt: Receipt, line: Line, *, legacy: bool) -> Row:
    """Return the snapshot of the product at the moment of sale."""
    item = line.item
    product = item.snapshot.copy()
    if not legacy:
        return {"product": product}
    row = item.row
    station, untaxed = row["station"], line.price
    if not item.exclusive_tax:
        untaxed = half_up(line.price * 100, 100 + INCLUDED_TAX)
    mods = ", ".join([mod.name for mod, _ in line.modificators]) if line.modificators else None
    product |= {
        "giftable": row["giftable"],
        "modifier_name": mods,
        "discountable": row["discountable"],
        "sold_by_weight": row["sold_by_weight"],
        "priceWithoutTaxes": money(untaxed),
        "taxes": [{"id": tax["id"], "name": tax["name"]} for tax in row["taxes"]],
        "station": {"id": station["id"], "name": station["name"]} if station else None,
    }
    moment = millis(receipt.day, receipt.created + line.added)
    return {
        "product": product,
        "originalPrice": money(item.price),
        "total_gift": money(line.discount) if line.gift else 0,
        "discountedPrice": money(line.total) if line.discount and not line.gift else 0,
        "terminal_updated_at": moment + receipt.luck % 1000,
    }


def order_payload(order: Order) -> Row:
    """Return what the call centre sent."""
    customer, receipt = order.customer or {}, order.receipt
    discount_type = receipt.discount_type if receipt else 0
    discount = receipt.discount_value if receipt else 0
    own = int(receipt.customer_discount) if receipt else 0
    total = receipt.total if receipt else sum(x.total for x in order.lines) + order.delivery_fee
    to_door = order.sale_type == DELIVERY
    return {
        "auto_order_accept": order.luck % 8 == 0,
        "auto_order_sent_to_station": order.luck % 8 == 0,
        "delivery_fee": money(order.delivery_fee),
        "service": {
            "sale_type_id": order.sale_type,
            "venue_id": order.venue.id,
            "sale_type_name": SALE_TYPES[order.sale_type][0],
            "venue_name": order.venue.name,
        },
        "customer": {
            "id": customer["id"],
            "phone": customer["phone"] or "",
            "address": address(receipt.luck if receipt else order.luck) if to_door else None,
            "customer_discount_type": own,
            "name": customer["name"],
        },
        "products": [_order_line(order, rank, line) for rank, line in enumerate(order.lines)],
        "meta": {
            "comment": COMMENTS[(receipt.luck if receipt else order.luck) % 6],
            "discount": {"discount_type": discount_type, "discount_value": money(discount)},
            "apply_service_charge": False,
            "customer_discount_type": own,
            "service_charge_value": 0,
            "orderTotal": f"{total // 100}.{total % 100:02d}00",
        },
        "customer_id": customer["id"],
        "sale_type_id": order.sale_type,
        "payload_updated_at": None,
    }


def _order_line(order: Order, rank: int, line: Line) -> Row:
    row = line.item.row
    count = quantity(line.count)
    # Seen live: an order that lost its product snapshot has PHP's empty array there.
    lost = (order.luck + rank) % 37 == 0
    product: Any = {
        "id": row["id"],
        "name": row["full_name"],
        "price": money(line.price),
        "category_id": row["category_id"],
        "station_id": row["station_id"],
    }
    return {
        "product_id": row["id"],
        "count": count,
        "product_modificators": _order_modificators(line),
        "portion_size": quantity(line.portion),
        "meta": {
            "price": money(line.price),
            "order_product": {
                "count": count,
                "status": "new" if order.status in ("PENDING", "RECEIVED") else "completed",
                "product_modificators": _order_modificators(line),
                "product_hash": product_hash(line),
                "product": [] if lost else product,
            },
        },
    }


def _order_modificators(line: Line) -> list[Row]:
    return [{"modificator_id": mod.id, "count": count} for mod, count in line.modificators]
