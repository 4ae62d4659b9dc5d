"""The small tables that hang together with the menu and the till."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from random import Random
from typing import Any
from zlib import crc32

from clopos_nb.sandbox.brand import menu
from clopos_nb.sandbox.brand.money import money
from clopos_nb.sandbox.brand.pictures import icon, photo
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.stamps import founding, iso, millis
from clopos_nb.sandbox.brand.venues import APP, DELIVERY, IN, TAKEAWAY, Venue

CASH, CARD, BALANCE, CASHBACK, ONLINE = 1, 2, 3, 4, 1002
METHOD_NAMES = {
    CASH: "Cash",
    CARD: "Card",
    BALANCE: "Customer Balance",
    CASHBACK: "Cashback",
    ONLINE: "Tez Çatdır",
}
SALE_TYPES = {
    IN: ("In", "IN"),
    DELIVERY: ("Delivery", "DELIVERY"),
    TAKEAWAY: ("Takeaway", "TAKEAWAY"),
    APP: ("Tez Çatdır", None),
}
"""Names and system types; the last is the brand's own, a fictional delivery app."""


def _stamped(key: str) -> Row:
    day, seconds = founding(key)
    return {"created_at": iso(day, seconds), "updated_at": iso(day, seconds + 86_400 * 9)}


def venue_rows(venues: Sequence[Venue]) -> list[Row]:
    """Return ``/venues``."""
    return [
        {
            "id": venue.id,
            "name": venue.name,
            "is_main": int(venue.id == 1),
            "media": [photo(f"venue-{venue.id}")] if venue.id == 1 else [],
            "address": venue.address,
            "status": 1,
            "phone": f"+994 12 000 00 {venue.id % 100:02d}",
            "email": f"venue{venue.id}@example.com",
        }
        for venue in venues
    ]


def category_trees() -> tuple[list[Row], dict[str, Row]]:
    """Return the roots with their children nested, and every category by its menu key."""
    by_key: dict[str, Row] = {}
    roots: list[Row] = []
    number = 0
    for key, (name, kind, parent) in menu.CATEGORIES.items():
        number += 1 + crc32(name.encode()) % 3
        above = by_key[parent] if parent else None
        row = by_key[key] = _category_row(number, key, name, kind, above)
        (above["children"] if above else roots).append(row)
    edge = 0
    for root in roots:
        edge = _number_edges(root, edge)
    return roots, by_key


def _category_row(number: int, key: str, name: str, kind: str, above: Row | None) -> Row:
    return {
        "id": number,
        "name": name,
        "status": int(key != menu.INACTIVE_CATEGORY),
        "hidden": kind != "PRODUCT",
        "type": kind,
        "position": None if number % 4 == 0 else number,
        "parent_id": above["id"] if above else None,
        "_lft": 0,
        "_rgt": 0,
        "depth": above["depth"] + 1 if above else 0,
        "color": f"{crc32(key.encode()) & 0xFFFFFF:06x}",
        "children": [],
        "media": [photo(key)] if kind == "PRODUCT" else [],
        **_stamped(name),
        "slug": key,
        "code": None,
        "image": None,
        "meta": {},
        "properties": [],
        "emenu_position": None,
        "emenu_hidden": False,
        "deleted_at": None,
    }


def _number_edges(row: Row, edge: int) -> int:
    row["_lft"] = edge + 1
    edge += 1
    for child in row["children"]:
        edge = _number_edges(child, edge)
    row["_rgt"] = edge + 1
    return edge + 1


def station_rows() -> list[Row]:
    """Return ``/stations``; the sweets counter has no printer."""
    return [
        {
            "id": number,
            "name": name,
            "status": 1,
            "type": int(number in (1, 2)),
            "printable": int(number != 5),
            **_stamped(name),
            "can_print": number != 5,
            "reminder_enabled": number == 1,
            "description": None,
            "meta": None,
        }
        for number, name in menu.STATIONS.items()
    ]


def price_rows(
    special: Iterable[tuple[int, Mapping[int, int]]], products: Mapping[int, Row]
) -> tuple[list[Row], list[Row]]:
    """Return ``/price-lists`` and ``/price-lists/prices`` from the special prices of items."""
    names = {DELIVERY: (1, "Çatdırılma qiymətləri"), APP: (3, "Tez Çatdır qiymətləri")}
    lists: dict[int, Row] = {
        sale_type: {
            "id": number,
            "name": name,
            "description": None if sale_type == DELIVERY else "Tətbiq komissiyası daxil",
            "status": True,
            **_stamped(name),
        }
        for sale_type, (number, name) in names.items()
    }
    found = [
        (lists[sale_type], product_id, price)
        for sale_type in lists
        for product_id, prices in special
        if (price := prices.get(sale_type)) is not None
    ]
    plain = [
        {
            "id": 9 + 2 * number,
            "list_id": price_list["id"],
            "product_id": product_id,
            "price": money(price),
        }
        for number, (price_list, product_id, price) in enumerate(found)
    ]
    full = [
        {**row, "product": products[row["product_id"]], "list": entry[0]}
        for row, entry in zip(plain, found, strict=True)
    ]
    empty = {
        "id": 4,
        "name": "Köhnə banket qiymətləri",
        "description": None,
        "status": False,
        **_stamped("banket"),
    }
    served = [
        {**row, "prices": [price for price in plain if price["list_id"] == row["id"]]}
        for row in (*lists.values(), empty)
    ]
    return served, full


def sale_type_rows(venues: Sequence[Venue], venue: Venue) -> list[Row]:
    """Return ``/sale-types`` as one venue sees it."""
    rows = []
    for position, (number, (name, system_type)) in enumerate(SALE_TYPES.items()):
        offered: Any = {str(v.id): int(v.character.sale_types[number] > 0) for v in venues}
        # PHP writes an empty map as an empty list.
        status: Any = [] if number == TAKEAWAY else offered
        percent = venue.character.service_percent
        rows.append(
            {
                "id": number,
                "name": name,
                "system_type": system_type,
                "channel": system_type,
                "status": status,
                "service_charge_rate": percent if number == IN and percent else None,
                "position": position,
                "media": [icon(name.lower().split()[0]) if system_type else photo(name)],
                **_stamped(name),
                "payment_method_id": None,
                "payment_method": None,
                "deleted_at": None,
            }
        )
    own = next(row for row in payment_method_rows(venues, venue) if row["id"] == ONLINE)
    rows[-1].update(payment_method_id=ONLINE, payment_method=own)
    return rows


def payment_method_rows(venues: Sequence[Venue], venue: Venue) -> list[Row]:
    """Return ``/payment-methods`` as one venue sees it; cash and card have a balance each."""
    rows = []
    for position, (number, name) in enumerate(METHOD_NAMES.items()):
        status: Any = {str(v.id): 1 for v in venues}
        balance = _balance(number, venue) if number in (CASH, CARD) else None
        rows.append(
            {
                "id": number,
                "name": name,
                "status": [] if number == CASHBACK else status,
                "split": int(number != ONLINE),
                "position": position,
                "customer_required": int(number in (BALANCE, CASHBACK)),
                "is_system": int(number != ONLINE),
                **_stamped(name),
                "balance": balance,
                "service": {"name": "loyalty", "check": [], "payload": []}
                if number == CASHBACK
                else None,
                "balance_id": balance["id"] if balance else None,
                "deleted_at": None,
            }
        )
    return rows


def _balance(method: int, venue: Venue) -> Row:
    number = 2 * venue.id - 1 + (method == CARD)
    kind = "CASH" if method == CASH else "CARD"
    return {
        "id": number,
        "system_type": kind,
        "name": "Kassa" if method == CASH else "Bank",
        "type": kind,
        "venue_id": venue.id,
        "description": None,
        "amount": 1000 + crc32(f"{venue.id}:{kind}".encode()) % 9_000_000 / 100,
        "position": 0,
        **_stamped(f"{venue.id}:{kind}"),
        "pivot": {"payment_method_id": method, "balance_id": number},
    }


def stop_list_rows(seed: int, venue: Venue, product_ids: Sequence[int], today: date) -> list[Row]:
    """Return ``/products/stop-list`` of one venue, newest change last."""
    chance = Random(f"{seed}:{venue.id}:stop")
    chosen = chance.sample(product_ids, k=3 + venue.id % 4)
    moments = sorted(chance.randrange(8 * 3600, 21 * 3600) for _ in chosen)
    return [
        {
            "id": number,
            "limit": 0 if chance.random() < 0.5 else chance.randrange(1, 9),
            "timestamp": millis(today, second) + chance.randrange(1000),
        }
        for number, second in zip(chosen, moments, strict=True)
    ]
