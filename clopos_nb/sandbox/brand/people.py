"""Staff and customers; every name, phone and address is visibly made up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from random import Random

from clopos_nb.sandbox.brand.money import money
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.stamps import Keys, founding, iso, local
from clopos_nb.sandbox.brand.venues import Venue

STAFF_STEP = 7
_ROLES = ("Administrator", "Kassir", "Ofisiant", "Ofisiant 2", "Barmen", "Kuryer")
CASHIER, WAITERS, COURIER = 1, (2, 3, 4), 5
_FIRST = (
    "Aysel", "Nigar", "Leyla", "Günay", "Sevinc", "Aytac", "Rəşad", "Elvin", "Orxan", "Tural",
    "Kənan", "Murad", "Fidan", "Zəhra", "Emin", "Samir",
)  # fmt: skip
_LAST = ("Sınaqlı", "Nümunəli", "Testzadə", "Misallı", "Uydurmalı")
_STREETS = ("Nar küçəsi", "Heyva prospekti", "Püstə döngəsi", "Zeytun küçəsi", "İnnab yolu")
GROUP_PERCENT = {1: 0, 2: 5, 5: 10, 9: 20}
CUSTOMERS = 400


def user_id(venue_id: int, role: int) -> int:
    """Return the id of one member of a venue's staff."""
    return 2 + (venue_id - 1) * STAFF_STEP + role


def user_rows(seed: int, venues: Iterable[Venue]) -> list[Row]:
    """Return ``/users``: the owner, and every venue's staff; the same whichever venue asks."""
    rows = [_user_row(1, "Sahib", "Nar", "Bağlı", Random(f"{seed}:owner"), owner=True)]
    for venue in venues:
        chance = Random(f"{seed}:{venue.id}:staff")
        for role, title in enumerate(_ROLES):
            first, last = chance.choice(_FIRST), chance.choice(_LAST)
            number = user_id(venue.id, role)
            rows.append(_user_row(number, f"{title} {first}", first, last, chance))
    return rows


def _user_row(
    number: int, username: str, first: str, last: str, chance: Random, *, owner: bool = False
) -> Row:
    day, seconds = founding(username)
    office = owner or username.startswith("Administrator")
    return {
        "id": number,
        "email": f"staff{number}@example.com" if office else None,
        "username": username,
        "first_name": first if office else None,
        "last_name": last if office else None,
        "mobile_number": f"+99450000{number % 10_000:04d}" if owner else None,
        "owner": int(owner),
        "status": number % 11 != 0,
        "created_at": iso(day, seconds),
        "updated_at": iso(day, seconds + 86_400 * 12),
        "pin": f"{chance.randrange(10_000):04d}",
        "card": None,
        "hide": int(owner),
        "salary": None,
        "barcode": None,
        "tip_message": None,
        "can_receive_tips": username.startswith("Ofisiant"),
        "login_at": local(day, seconds + 86_400 * 30) if office else None,
        "bonus_balance_id": None,
        "properties": [],
        "image": None,
        "deleted_at": None,
    }


def user_names(rows: Sequence[Row]) -> dict[int, str]:
    """Return the display name of each user."""
    return {row["id"]: row["username"] for row in rows}


def group_rows() -> list[Row]:
    """Return ``/customer-groups``; discount types are the code as text, null where none."""
    names = {1: "My Customers", 2: "Daimi qonaqlar", 5: "Korporativ", 9: "Əməkdaşlar"}
    rows = []
    for number, percent in GROUP_PERCENT.items():
        day, seconds = founding(names[number])
        rows.append(
            {
                "id": number,
                "name": names[number],
                "discount_type": "1" if percent else None,
                "discount_value": percent,
                "system_type": "my_customers" if number == 1 else None,
                "created_at": iso(day, seconds),
                "updated_at": iso(day, seconds),
                "deleted_at": None,
                "total_amount": 0,
            }
        )
    return rows


def customer_rows(seed: int, venues: Sequence[Venue], groups: Sequence[Row]) -> list[Row]:
    """Return ``/customers``, the brand's own: every venue sees all of them.

    ``spent`` and its neighbours count from before the first day of the brand's receipts, so they
    are not sums over them.
    """
    keys = Keys(seed, "customer")
    chance = Random(f"{seed}:customers")
    by_id = {row["id"]: row for row in groups}
    rows = []
    number = 12
    for rank in range(CUSTOMERS):
        number += 1 + (chance.random() < 0.2)
        venue = venues[rank % len(venues)]
        group = by_id[chance.choices((1, 2, 5, 9), weights=(74, 16, 7, 3))[0]]
        rows.append(_customer_row(number, rank, venue, group, keys.cid(number), chance))
    return rows


def _customer_row(
    number: int, rank: int, venue: Venue, group: Row, cid: str, chance: Random
) -> Row:
    last = chance.choice(_LAST)
    name = f"{chance.choice(_FIRST)} {last} {rank + 1:03d}"
    phone = _phone(rank) if chance.random() < 0.85 else None
    day = date(2024, 2, 1) + timedelta(days=chance.randrange(600))
    created, updated = iso(day, 40_000 + rank), iso(day + timedelta(days=20), 41_000 + rank)
    address = f"{chance.choice(_STREETS)} {1 + rank % 90}, mənzil {1 + rank % 40}"
    loyal = chance.random() < 0.3
    balance = {
        "id": 2800 + number,
        "system_type": None,
        "venue_id": None,
        "name": "CUSTOMER:",
        "description": None,
        "type": "CUSTOMER",
        "amount": money(chance.randrange(0, 9000)) if chance.random() < 0.2 else 0,
        "position": 0,
        "created_at": created,
        "updated_at": updated,
        "deleted_at": None,
    }
    return {
        "id": number,
        "cid": cid,
        "venue_id": venue.id,
        "group_id": group["id"],
        "name": name,
        "email": f"customer{number}@example.com" if chance.random() < 0.4 else None,
        "phone": phone,
        "phones": [phone] if phone and chance.random() < 0.2 else [],
        "address": address if chance.random() < 0.6 else None,
        "address_data": [],
        "description": "Pəncərə yanında masa" if rank % 29 == 0 else None,
        "discount": 0,
        "spent": money(chance.randrange(500, 240_000)),
        "total_discount": money(chance.randrange(0, 6000)) if chance.random() < 0.3 else 0,
        "total_bonus": 0,
        "receipt_count": chance.randrange(1, 60),
        "gender": chance.choice((1, 2, None)),
        "date_of_birth": _birthday(chance) if chance.random() < 0.5 else None,
        "code": f"CUST{number:04d}" if loyal else None,
        "source": "LOYALTY" if loyal else None,
        "reference_id": None,
        "status": rank % 97 != 13,
        "can_use_loyalty_system": loyal,
        "is_verified": loyal and rank % 2 == 0,
        "created_at": created,
        "updated_at": updated,
        "group": group,
        "balance_id": balance["id"],
        "bonus_balance_id": None,
        "cashback_balance_id": 6800 + number if loyal else None,
        "addresses": [],
        "phone_verified_at": None,
        "deleted_at": None,
        "balance": balance,
        "cashback_balance": {"name": "CASHBACK:", "type": "CASHBACK", "amount": 0}
        if loyal
        else None,
    }


def _phone(rank: int) -> str:
    # Free format, as in the live system; the block +994 50 000 xx xx is plainly not in use.
    digits = f"{rank:04d}"
    forms = (
        f"+99450000{digits}",
        f"+994 50 000 {digits[:2]} {digits[2:]}",
        f"050000{digits}",
        f"(050) 000-{digits[:2]}-{digits[2:]}",
    )
    return forms[rank % 4]


def _birthday(chance: Random) -> str:
    return (date(1960, 1, 1) + timedelta(days=chance.randrange(16_000))).isoformat()
