"""How a receipt comes about: lines, discounts, taxes, payments, all in whole qəpik."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random
from typing import Any

from clopos_nb.sandbox.brand.catalogue import Item, Modificator
from clopos_nb.sandbox.brand.money import half_up, share
from clopos_nb.sandbox.brand.products import EXCLUSIVE_TAX, HIDDEN_PRODUCT, INCLUDED_TAX
from clopos_nb.sandbox.brand.settings import BALANCE, CARD, CASH, CASHBACK, ONLINE
from clopos_nb.sandbox.brand.venues import APP, DELIVERY, IN, Character, Venue

NO_DISCOUNT, PERCENT, AMOUNT = 0, 1, 2
MOST_LINES = 13


@dataclass(slots=True)
class Line:
    """One line of a receipt.

    ``count`` and ``portion`` are thousandths; ``discount_value`` is hundredths of a percent or of a
    manat, as ``discount_type`` says; everything else is qəpik.
    """

    item: Item
    count: int
    portion: int
    price: int
    modificators: tuple[tuple[Modificator, int], ...]
    subtotal: int
    added: int
    gift: bool = False
    discount_type: int = NO_DISCOUNT
    discount_value: int = 0
    discount: int = 0
    receipt_discount: int = 0

    @property
    def total(self) -> int:
        """Line total, before the receipt's own discount."""
        return self.subtotal - self.discount

    @property
    def cost(self) -> int:
        """What the line cost the venue."""
        return half_up(self.count * self.portion * self.item.cost, 1_000_000)


@dataclass(slots=True)
class Receipt:
    """One receipt; times are seconds after the shift day's midnight, ``closed`` None while open.

    ``service_rate`` is hundredths of a percent. ``written`` holds served fields that somebody set,
    whatever the model says.
    """

    id: int
    venue: Venue
    day: date
    rank: int
    created: int
    sale_type: int
    lines: list[Line]
    guests: int = 1
    closed: int | None = None
    updated: int = 0
    order_id: int | None = None
    customer_id: int | None = None
    customer_discount: bool = False
    is_return: bool = False
    discount_type: int = NO_DISCOUNT
    discount_value: int = 0
    service_rate: int = 0
    delivery_fee: int = 0
    payments: Sequence[tuple[int, int]] = ()
    waiter: int = 0
    luck: int = 0
    subtotal: int = 0
    line_discount: int = 0
    receipt_discount: int = 0
    service_charge: int = 0
    i_tax: int = 0
    e_tax: int = 0
    total: int = 0
    written: dict[str, Any] | None = None

    @property
    def discount(self) -> int:
        """All discounts together."""
        return self.line_discount + self.receipt_discount

    @property
    def paid(self) -> int:
        """Sum of the payments."""
        return sum(amount for _, amount in self.payments)


def below(chance: Random, limit: int) -> int:
    """Return what ``chance.randrange(limit)`` does, without its checks of the arguments."""
    bits = limit.bit_length()
    draw = chance.getrandbits(bits)
    while draw >= limit:
        draw = chance.getrandbits(bits)
    return draw


class Offer:
    """What one kind of venue sells in one way, with the odds of each item."""

    def __init__(self, items: Sequence[Item], character: Character, *, at_table: bool) -> None:
        wanted = [(item, _weight(item, character, at_table)) for item in items]
        self.items = [item for item, weight in wanted if weight > 0]
        weights = list(accumulate(weight for _, weight in wanted if weight > 0))
        self.whole = weights.pop() + 0.0
        self.marks = weights

    def lines(self, chance: Random, sale_type: int, size: int) -> list[Line]:
        """Return lines for about so many things, each item at most once."""
        # What Random.choices does, without its checks: a busy day calls this hundreds of times.
        draw, items, marks, whole = chance.random, self.items, self.marks, self.whole
        picks = {items[bisect(marks, draw() * whole)]: None for _ in range(size)}
        return [_line(chance, item, sale_type) for item in picks]


def _weight(item: Item, character: Character, at_table: bool) -> float:
    only_at_table = item.category in ("qelyan", "eylence")
    only_away = item.row["name"] == HIDDEN_PRODUCT
    if (only_at_table and not at_table) or (only_away and at_table):
        return 0
    return item.appeal * character.tastes.get(item.category, 1)


def _line(chance: Random, item: Item, sale_type: int) -> Line:
    portion = 1000
    if item.halves and (draw := chance.random()) < 0.16:
        portion = 500 if draw < 0.13 else 1500
    return line_of(
        item,
        _count(chance, item),
        portion,
        item.price_for(sale_type),
        _modificators(chance, item) if item.groups else (),
        added=int(chance.random() * 900),
    )


def line_of(
    item: Item,
    count: int,
    portion: int,
    price: int,
    modificators: tuple[tuple[Modificator, int], ...],
    *,
    added: int,
) -> Line:
    """Return an undiscounted line: count x portion x (price + modificators), rounded half up."""
    each = price
    if modificators:
        each += sum([mod.price * number for mod, number in modificators])
    if portion == 1000 and count % 1000 == 0:
        subtotal = count // 1000 * each  # nothing to round, which is how most lines are
    else:
        subtotal = half_up(count * portion * each, 1_000_000)
    return Line(item, count, portion, price, modificators, subtotal, added)


def _count(chance: Random, item: Item) -> int:
    if item.by_weight:
        return below(chance, 350) * 5 + 250
    draw = chance.random()
    if item.by_hour:
        return 1500 if draw < 0.3 else 1000 * (1 + int(draw * 3))
    if item.category == "qutab":
        return 1000 * (1 + int(draw * 5))
    return 1000 if draw < 0.72 else 2000 if draw < 0.93 else 3000


def _modificators(chance: Random, item: Item) -> tuple[tuple[Modificator, int], ...]:
    chosen: list[tuple[Modificator, int]] = []
    for single, options in item.groups:
        if chance.random() < 0.3:
            number = 2 if not single and chance.random() < 0.1 else 1
            chosen.append((options[int(chance.random() * len(options))], number))
    return tuple(chosen)


def give_and_discount(chance: Random, lines: Sequence[Line]) -> None:
    """Make some lines a gift of the house and mark some down; the first is always charged."""
    for rank, line in enumerate(lines):
        draw = chance.random()
        if rank and draw < 0.07 and line.item.row["giftable"]:
            line.gift = True
            line.discount = line.subtotal
        elif draw > 0.955 and line.item.discountable:
            if draw > 0.99:
                line.discount_type, line.discount_value = AMOUNT, 100
                line.discount = line.discount_value = min(100, line.subtotal)
            else:
                line.discount_type, line.discount_value = PERCENT, chance.choice((1000, 2000, 5000))
                line.discount = half_up(line.subtotal * line.discount_value, 10_000)


def discount_receipt(chance: Random, receipt: Receipt, customer_percent: int) -> None:
    """Take a percentage or an amount off the whole receipt, shared over its lines."""
    draw = chance.random()
    if customer_percent:
        receipt.discount_type, receipt.discount_value = PERCENT, customer_percent * 100
        receipt.customer_discount = True
    elif draw < 0.04:
        receipt.discount_type, receipt.discount_value = PERCENT, chance.choice((500, 1000, 1500))
    elif draw < 0.06:
        receipt.discount_type = AMOUNT
        receipt.discount_value = min(chance.choice((200, 333, 500)), sum(discountable(receipt)))
    share_discount(receipt)


def share_discount(receipt: Receipt) -> None:
    """Work out the receipt's own discount and share it over the lines that take one."""
    amount = receipt.discount_value
    if not amount:
        return
    base = discountable(receipt)
    if receipt.discount_type == PERCENT:
        amount = half_up(sum(base) * receipt.discount_value, 10_000)
    if amount:
        for line, part in zip(receipt.lines, share(amount, base), strict=True):
            line.receipt_discount = part


def discountable(receipt: Receipt) -> list[int]:
    """Return what of each line the receipt's own discount may touch."""
    return [0 if x.gift or not x.item.discountable else x.total for x in receipt.lines]


def add_up(receipt: Receipt) -> None:
    """Set every sum of a receipt from its lines and rates."""
    subtotal = discount = shared = exclusive = 0
    for line in receipt.lines:
        subtotal += line.subtotal
        discount += line.discount
        shared += line.receipt_discount
        if line.item.exclusive_tax:
            exclusive += line.subtotal - line.discount - line.receipt_discount
    receipt.subtotal, receipt.line_discount, receipt.receipt_discount = subtotal, discount, shared
    net = subtotal - discount - shared
    receipt.service_charge = half_up(net * receipt.service_rate, 10_000)
    receipt.i_tax = half_up((net - exclusive) * INCLUDED_TAX, 100 + INCLUDED_TAX)
    receipt.e_tax = half_up(exclusive * EXCLUSIVE_TAX, 100) if exclusive else 0
    receipt.total = net + receipt.service_charge + receipt.e_tax + receipt.delivery_fee


def pay(chance: Random, receipt: Receipt) -> None:
    """Settle a receipt in full, about one in twelve with two methods."""
    total = receipt.total
    first = _method(chance, receipt)
    receipt.payments = ((first, total),) if total else ()
    if total >= 500 and first in (CASH, CARD) and chance.random() < 0.085:
        # Guests who split a bill put down a round sum first.
        part = max(100, total * (20 + below(chance, 60)) // 10_000 * 100)
        receipt.payments = (CASH, part), (CARD, total - part)


def _method(chance: Random, receipt: Receipt) -> int:
    draw = chance.random()
    if receipt.sale_type == APP and not receipt.is_return:
        return ONLINE if draw < 0.92 else CASH
    if receipt.customer_id is not None and not receipt.is_return and draw < 0.12:
        return BALANCE if draw < 0.06 else CASHBACK
    return CARD if chance.random() < receipt.venue.character.card_share else CASH


def turn_into_return(receipt: Receipt) -> None:
    """Make a receipt give money back: its first lines, undiscounted, with the sign turned."""
    receipt.is_return = True
    receipt.order_id = None
    receipt.lines = [
        line_of(x.item, -x.count, x.portion, x.price, x.modificators, added=x.added)
        for x in receipt.lines[:2]
    ]


def party(chance: Random, venue: Venue) -> int:
    """Return the number of guests at a table."""
    return 1 + int((chance.random() + chance.random()) ** 2 * 1.6 * venue.character.party)


def size(chance: Random, sale_type: int, guests: int, appetite: float) -> int:
    """Return about how many things are ordered."""
    spread = (0.9 + 0.95 * guests if sale_type == IN else 2.3) * appetite
    return min(MOST_LINES, 1 + int((chance.random() + chance.random()) * spread))


def delivery_fee(chance: Random, receipt: Receipt) -> int:
    """Return the fee: none in the app, none above 40 manat."""
    if receipt.sale_type != DELIVERY or sum([line.total for line in receipt.lines]) > 4000:
        return 0
    return chance.choice((200, 250, 300, 390))
