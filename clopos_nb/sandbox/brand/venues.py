"""The venues: four characters, from which any number of venues is derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

IN, DELIVERY, TAKEAWAY, APP = 1, 2, 3, 1000
"""Sale type ids; those that a brand makes itself start at 1000."""


@dataclass(frozen=True)
class Character:
    """What makes a kind of venue different: when people come, what they take, how they pay.

    ``hours`` maps an opening hour to its weight. ``late_share`` of the receipts fall after midnight
    and still belong to the shift that began the day before. ``tastes`` multiplies the appeal of
    menu categories; ``party`` the size of a table.
    """

    name: str
    mean: float
    weekdays: tuple[float, ...]
    hours: Mapping[int, float]
    weekend_hours: Mapping[int, float]
    late_share: float
    sale_types: Mapping[int, float]
    service_percent: int
    order_share: float
    card_share: float
    party: float
    tastes: Mapping[str, float]
    weekend: tuple[int, ...] = (4, 5)

    def hours_of(self, day: date) -> Mapping[int, float]:
        """Return the opening hours of a day, with their weights."""
        return self.weekend_hours if day.weekday() in self.weekend else self.hours


@dataclass(frozen=True)
class Venue:
    """One branch of the brand."""

    id: int
    name: str
    address: str
    character: Character
    mean: float

    @property
    def storage_id(self) -> int:
        """Id of the one storage the venue sells from."""
        return 2 + self.id


def _hours(first: int, *weights: float) -> dict[int, float]:
    return {first + i: weight for i, weight in enumerate(weights)}


CENTRE = Character(
    name="Mərkəz",
    mean=112,
    weekdays=(0.82, 0.84, 0.88, 0.95, 1.28, 1.32, 0.98),
    hours=_hours(10, 1, 2, 6, 9, 8, 4, 3, 3, 6, 9, 10, 8, 4),
    weekend_hours=_hours(10, 1, 2, 4, 6, 7, 5, 4, 5, 8, 12, 14, 12, 7),
    late_share=0.0,
    sale_types={IN: 78, DELIVERY: 7, TAKEAWAY: 11, APP: 4},
    service_percent=10,
    order_share=0.09,
    card_share=0.58,
    party=1.0,
    tastes={"qelyan": 0, "eylence": 0},
)
LUNCH = Character(
    name="Biznes Nahar",
    mean=88,
    weekdays=(1.24, 1.3, 1.32, 1.3, 1.2, 0.42, 0.0),
    weekend=(5, 6),
    hours=_hours(8, 2, 4, 4, 5, 16, 22, 14, 5, 3, 2),
    weekend_hours=_hours(9, 2, 3, 4, 6, 7, 5, 3),
    late_share=0.0,
    sale_types={IN: 61, DELIVERY: 10, TAKEAWAY: 23, APP: 6},
    service_percent=0,
    order_share=0.11,
    card_share=0.74,
    party=0.5,
    tastes={"qelyan": 0, "eylence": 0, "sorba": 2.2, "salat": 1.6, "kabab": 0.6, "qehve": 1.8},
)
LOUNGE = Character(
    name="Sahil",
    mean=74,
    weekdays=(0.7, 0.72, 0.8, 0.95, 1.42, 1.5, 0.95),
    hours=_hours(16, 2, 3, 4, 6, 8, 10, 11, 11),
    weekend_hours=_hours(16, 2, 3, 4, 6, 9, 12, 14, 15),
    late_share=0.27,
    sale_types={IN: 92, DELIVERY: 3, TAKEAWAY: 5, APP: 0},
    service_percent=10,
    order_share=0.12,
    card_share=0.66,
    party=0.8,
    tastes={"qelyan": 9, "eylence": 3, "icki": 2.4, "cay": 2, "shirniyyat": 1.6, "sorba": 0.3},
)
KITCHEN = Character(
    name="Mətbəx",
    mean=94,
    weekdays=(0.86, 0.86, 0.92, 0.98, 1.2, 1.18, 1.06),
    hours=_hours(11, 3, 7, 8, 5, 3, 3, 5, 9, 12, 11, 7, 3),
    weekend_hours=_hours(11, 2, 5, 7, 6, 4, 4, 6, 10, 14, 14, 10, 5),
    late_share=0.0,
    sale_types={IN: 0, DELIVERY: 60, TAKEAWAY: 13, APP: 27},
    service_percent=0,
    order_share=0.3,
    card_share=0.45,
    party=0.6,
    tastes={"qelyan": 0, "eylence": 0, "cay": 0.1, "qehve": 0.2, "qutab": 1.6, "kabab": 1.5},
)
CHARACTERS = (CENTRE, LUNCH, LOUNGE, KITCHEN)
LATE_HOURS = {24: 5.0, 25: 3.0, 26: 1.2}

_DISTRICTS = (
    "Nərimanov", "Yasamal", "Xətai", "Nəsimi", "Səbail", "Binəqədi", "Xəzər", "Suraxanı",
    "Sumqayıt", "Gəncə", "Şəki", "Quba", "Lənkəran", "Şamaxı", "Mingəçevir", "Naftalan",
)  # fmt: skip
_ADDRESSES = ("Nar küçəsi 12", "Heyva prospekti 47", "Sahil yolu 3", "Püstə döngəsi 8")


def make_venues(seed: int, count: int, receipts_per_day: float | None) -> list[Venue]:
    """Return venues 1 to ``count``; the first four show each character in its pure form."""
    return [_venue(seed, number, receipts_per_day) for number in range(1, count + 1)]


def _venue(seed: int, number: int, receipts_per_day: float | None) -> Venue:
    turn, which = divmod(number - 1, len(CHARACTERS))
    character = CHARACTERS[which]
    name = f"Nar Bağı {character.name}"
    mean = character.mean
    if turn:
        repeat, district = divmod(turn - 1, len(_DISTRICTS))
        name = f"{name} {_DISTRICTS[district]}" + (f" {repeat + 1}" if repeat else "")
        mean *= Random(f"{seed}:venue:{number}").uniform(0.65, 1.15)
    address = f"{_ADDRESSES[which]}, {_DISTRICTS[(turn - 1) % 16] if turn else 'Bakı'}"
    return Venue(
        number, name, address, character, mean if receipts_per_day is None else receipts_per_day
    )
