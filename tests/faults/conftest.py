"""A brand for the table of faults, and the body of an order that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from clopos_nb.sandbox.brand import Brand
from tests.faults.bench import FIRST, LAST, order_of


@pytest.fixture(scope="session")
def brand() -> Brand:
    return Brand(seed=7, venues=2, first_day=FIRST, last_day=LAST, receipts_per_day=20)


@pytest.fixture(scope="session")
def order(brand: Brand) -> dict[str, Any]:
    return order_of(brand)
