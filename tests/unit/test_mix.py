"""What makes up the revenue: sums and shares by way of paying and by product."""

from __future__ import annotations

import pandas as pd
import pytest

from clopos_nb.analysis import payment_mix, top_products

MIX = {"method": "string", "payments": "Int64", "amount": "float64", "share": "float64"}
TOP = {
    "product_id": "Int64",
    "product": "string",
    "sold": "float64",
    "revenue": "float64",
    "share": "float64",
}


def payments(*rows: tuple[str | None, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["name", "amount"])
    return frame.astype({"name": "string", "amount": "float64"})


def lines(*rows: tuple[int, str, float, float | None, float, float | None]) -> pd.DataFrame:
    names = ["product_id", "meta_product_name", "count", "portion_size", "total"]
    frame = pd.DataFrame(rows, columns=[*names, "receipt_discount"])
    kinds = dict.fromkeys(["count", "portion_size", "total", "receipt_discount"], "float64")
    return frame.astype({"product_id": "Int64", "meta_product_name": "string", **kinds})


def test_money_given_back_nets_out():
    mix = payment_mix(payments(("Cash", 50.0), ("Cash", -20.0), ("Card", 70.0)))
    assert mix["method"].tolist() == ["Card", "Cash"]
    assert mix["amount"].tolist() == [70.0, 30.0]
    assert mix["payments"].tolist() == [1, 2]
    assert mix["share"].tolist() == [0.7, 0.3]


def test_payments_without_a_name_are_not_lost():
    mix = payment_mix(payments((None, 10.0), ("Cash", 5.0)))
    assert mix["amount"].sum() == 15.0
    assert mix["method"].isna().tolist() == [True, False]


def test_shares_of_nothing_are_missing():
    assert payment_mix(payments(("Cash", 5.0), ("Cash", -5.0)))["share"].isna().all()


def test_revenue_is_after_the_receipts_discount_and_what_is_sold_counts_portions():
    top = top_products(
        lines(
            (1, "Plov", 2, 1.0, 20.0, 2.0),
            (1, "Plov", 1, 0.5, 5.0, None),
            (2, "Tea", 3, None, 6.0, 0.0),
        )
    )
    assert top["product"].tolist() == ["Plov", "Tea"]
    assert top["sold"].tolist() == [2.5, 3.0]
    assert top["revenue"].tolist() == [23.0, 6.0]
    assert top["share"].sum() == pytest.approx(1.0)


def test_returns_lower_a_product_and_the_last_name_is_its_name():
    top = top_products(lines((1, "Old", 2, 1, 20.0, 0.0), (1, "New", -1, 1, -10.0, 0.0)))
    assert top[["product", "sold", "revenue"]].to_numpy().tolist() == [["New", 1.0, 10.0]]


def test_deleted_lines_do_not_count():
    frame = lines((1, "Plov", 1, 1, 9.0, 0.0), (2, "Tea", 1, 1, 2.0, 0.0))
    frame["deleted_at"] = pd.array([None, "2026-01-05"], "string")
    assert top_products(frame)["product"].tolist() == ["Plov"]


def test_a_count_cuts_after_the_highest_and_leaves_their_shares():
    top = top_products(lines((1, "A", 1, 1, 6.0, 0.0), (2, "B", 1, 1, 4.0, 0.0)), 1)
    assert top[["product", "share"]].to_numpy().tolist() == [["A", 0.6]]


@pytest.mark.parametrize(
    ("table", "columns"), [(payment_mix(payments()), MIX), (top_products(lines()), TOP)]
)
def test_an_empty_frame_has_the_same_columns_and_dtypes(table, columns):
    assert {str(name): str(kind) for name, kind in table.dtypes.items()} == columns
    assert len(table) == 0


def test_the_mix_and_the_products_of_a_brand_are_its_books(sandbox_books):
    """The payments of a day add up to its receipts, and so do the lines before charges."""
    receipts, paid, sold = sandbox_books
    assert payment_mix(paid)["amount"].sum() == pytest.approx(receipts["total"].sum())
    charges = receipts["subtotal"].sum() - receipts["total_discount"].sum()
    assert top_products(sold)["revenue"].sum() == pytest.approx(charges)


@pytest.fixture
def sandbox_books():
    import clopos_nb

    with clopos_nb.demo() as session:
        names = ["receipts", "receipt_payments", "receipt_products"]
        frames = session.frames(names, "2026-01-05", progress=False)
    return tuple(frames.values())
