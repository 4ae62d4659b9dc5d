"""What a closed receipt took from the venue's storage."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from clopos_nb.sandbox.brand.catalogue import Catalogue
from clopos_nb.sandbox.brand.money import half_up, money, quantity
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.served import LINE_IDS
from clopos_nb.sandbox.brand.stamps import local
from clopos_nb.sandbox.brand.till import Line, Receipt

_MOST_OPERATIONS = 256
STORAGE = "Əsas anbar"


def stock_operations(seed: int, catalogue: Catalogue, receipt: Receipt) -> list[Row]:
    """Return the deductions of a receipt in the order of its lines.

    Dishes take their recipe, goods themselves, add-ons their ingredient, hours at the billiard
    table nothing. Quantities before and after chain within the receipt. A return puts things back,
    as a negative deduction. An open receipt has taken nothing yet.
    """
    if receipt.closed is None:
        return []
    chance = Random(f"{seed}:{receipt.id}:stock")
    left: dict[int, int] = {}
    rows: list[Row] = []
    for rank, line in enumerate(receipt.lines):
        for product_id, taken in _taken(line):
            if product_id not in catalogue.costs:
                continue  # a parent of variants, which only an API client can sell
            before = left.setdefault(product_id, 40_000 + chance.randrange(160_000))
            left[product_id] = before - taken
            number = receipt.id * _MOST_OPERATIONS + len(rows)
            line_id = receipt.id * LINE_IDS + rank
            rows.append(_row(number, receipt, line_id, product_id, before, taken, catalogue))
    return rows


def _taken(line: Line) -> Iterator[tuple[int, int]]:
    """Yield product ids and thousandths."""
    eaten = line.count * line.portion
    if line.item.recipe:
        for product_id, gross in line.item.recipe:
            yield product_id, half_up(eaten * gross, 1_000_000)
    elif line.item.row["type"] != "TIMER":
        yield line.item.id, half_up(eaten, 1000)
    for mod, number in line.modificators:
        if mod.ingredient_id is not None:
            yield mod.ingredient_id, half_up(line.count * mod.amount * number, 1000)


def _row(
    number: int,
    receipt: Receipt,
    line_id: int,
    product_id: int,
    before: int,
    taken: int,
    catalogue: Catalogue,
) -> Row:
    venue = receipt.venue
    cost = money(catalogue.costs[product_id])
    stock = venue.id * 10_000 + product_id
    return {
        "id": number,
        "receipt_id": receipt.id,
        "receipt_product_id": line_id,
        "product_id": product_id,
        "stock_id": stock,
        "storage_id": venue.storage_id,
        "quantity": quantity(taken),
        "before_quantity": quantity(before),
        "after_quantity": quantity(before - taken),
        "cost": cost,
        "before_cost": cost,
        "total_cost": money(half_up(taken * catalogue.costs[product_id], 1000)),
        "operated_at": local(receipt.day, receipt.closed or receipt.created),
        "product": {"id": product_id, "name": catalogue.by_id[product_id]["full_name"]},
        "stock": {"id": stock, "storage": {"id": venue.storage_id, "name": STORAGE}},
    }
