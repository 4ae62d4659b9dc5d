"""Which receipts do not add up: what is named, by how much, and what passes as another reading."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clopos_nb import reconcile

Frames = dict[str, pd.DataFrame]
INTEGERS = {
    "venue_id": "Int64",
    "id": "Int64",
    "receipt_id": "Int64",
    "receipt_product_id": "Int64",
    "status": "Int64",
}


def typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    return frame.astype({name: kind for name, kind in INTEGERS.items() if name in frame})


def line(receipt: int, count: float, price: float, taken: float = 0, share: float = 0, **more: Any):
    subtotal = round(count * price, 2)
    made = {
        "venue_id": 1, "receipt_id": receipt, "count": count, "portion_size": 1.0, "price": price,
        "subtotal": subtotal, "total": round(subtotal - taken, 2), "is_gift": False,
        "total_discount": taken, "receipt_discount": share,
        "meta_product_type": "DISH", "id": 0,
    }  # fmt: skip
    return made | more


def receipt(number: int, subtotal: float, **more: Any) -> dict[str, Any]:
    made = {
        "venue_id": 1, "id": number, "status": 2, "total": subtotal, "subtotal": subtotal,
        "total_discount": 0.0, "service_charge": 0.0, "service_charge_value": 0.0,
        "delivery_fee": 0.0, "remaining": 0.0, "i_tax": 0.0, "e_tax": 0.0, "total_tax": 0.0,
    }  # fmt: skip
    return made | more


def paid(number: int, amount: float, **more: Any) -> dict[str, Any]:
    return {"venue_id": 1, "receipt_id": number, "amount": amount} | more


OTHER_ADD_ONS = pd.DataFrame({"receipt_product_id": [99]}, dtype="Int64")


def frames_of(receipts: list[Any], lines: list[Any], payments: list[Any]) -> Frames:
    return {
        "receipts": typed(receipts),
        "receipt_products": typed(lines),
        "receipt_payments": typed(payments),
        "receipt_modificators": OTHER_ADD_ONS,
    }


def books() -> Frames:
    """Return two closed receipts, one with everything, and an open one, which add up."""
    everything = {
        "total": 17.35, "total_discount": 6.5, "service_charge": 10.0, "service_charge_value": 1.35,
        "delivery_fee": 2.0, "i_tax": 2.06, "e_tax": 0.5, "total_tax": 2.56,
    }  # fmt: skip
    return frames_of(
        [
            receipt(1, 20.0, **everything),
            receipt(2, 8.0),
            receipt(3, 5.0, status=1, remaining=3.0),
        ],
        [
            line(1, 2, 5.0, taken=1.0, share=0.9),
            line(1, 1, 4.0, taken=4.0, is_gift=True),
            line(1, 1.5, 4.0, share=0.6),
            line(2, 1, 8.0),
            line(3, 1, 5.0),
        ],
        [paid(1, 10.0), paid(1, 7.35), paid(2, 8.0), paid(3, 2.0)],
    )


def named(frames: Frames, **how: Any) -> dict[str, float]:
    found = reconcile(frames, **how)
    return dict(zip(found["part"], found["difference"], strict=True))


# ------------------------------------------------------------------------- what is named


def test_what_adds_up_leaves_no_rows_but_the_columns():
    found = reconcile(books())
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        "venue_id": "Int64",
        "receipt_id": "Int64",
        "part": "string",
        "expected": "float64",
        "found": "float64",
        "difference": "float64",
    }
    assert found.index.equals(pd.RangeIndex(0))


@pytest.mark.parametrize(
    ("table", "column", "parts"),
    [
        ("receipts", "total", {"total": 3.0, "payments": -3.0}),
        ("receipts", "subtotal", {"lines": 3.0, "total": -3.0, "service_charge": -0.3}),
        ("receipts", "total_discount", {"discount": 3.0, "lines": -3.0, "total": 3.0}),
        ("receipts", "service_charge_value", {"service_charge": 2.35, "total": -3.0}),
        ("receipts", "delivery_fee", {"total": -3.0}),
        ("receipts", "remaining", {"payments": 3.0}),
        ("receipts", "i_tax", {"taxes": -3.0}),
        ("receipts", "e_tax", {"taxes": -3.0, "total": -3.0}),
        ("receipts", "total_tax", {"taxes": 3.0}),
        ("receipt_products", "count", {"price": -15.0}),
        ("receipt_products", "price", {"price": -6.0}),
        ("receipt_products", "subtotal", {"price": 3.0, "line": -3.0}),
        ("receipt_products", "total", {"line": 3.0, "lines": -3.0}),
        ("receipt_products", "total_discount", {"line": 3.0, "discount": -3.0}),
        ("receipt_products", "receipt_discount", {"discount": -3.0, "lines": 3.0}),
        ("receipt_payments", "amount", {"payments": 3.0}),
    ],
)
def test_a_changed_amount_is_named_in_each_sum_it_is_part_of(table, column, parts):
    frames = books()
    frames[table].loc[0, column] += 3.0
    assert named(frames) == parts
    assert set(reconcile(frames)["receipt_id"]) == {1}


def test_a_row_says_what_was_expected_and_found():
    frames = books()
    frames["receipts"].loc[1, "total_tax"] = 1.44
    assert reconcile(frames).to_dict("records") == [
        {"venue_id": 1, "receipt_id": 2, "part": "taxes",
         "expected": 0.0, "found": 1.44, "difference": 1.44},
    ]  # fmt: skip


def test_the_largest_difference_comes_first():
    frames = books()
    frames["receipts"]["total_tax"] += [1.0, -7.0, 2.0]
    assert reconcile(frames)["receipt_id"].tolist() == [2, 3, 1]


def test_of_several_wrong_lines_the_worst_stands_for_the_receipt():
    frames = books()
    frames["receipt_products"].loc[[0, 2], "price"] -= [1.0, 2.0]
    assert named(frames) == {"price": 3.0}


def test_a_receipt_whose_lines_or_payments_are_not_there_is_named():
    frames = books()
    for table in ("receipt_products", "receipt_payments"):
        frames[table] = frames[table].query("receipt_id != 2")
    assert named(frames) == {"lines": 8.0, "payments": -8.0}


def test_an_open_receipt_owes_what_remains():
    frames = books()
    frames["receipts"].loc[2, "remaining"] = 0.0
    assert named(frames) == {"payments": -3.0}


def test_receipts_of_one_id_in_two_venues_stay_apart():
    frames = books()
    moved = {name: frame.assign(venue_id=2) for name, frame in books().items()}
    both = {name: pd.concat([frames[name], moved[name]], ignore_index=True) for name in frames}
    assert len(reconcile(both)) == 0
    both["receipts"].loc[3, "remaining"] = 1.0
    assert reconcile(both)[["venue_id", "receipt_id"]].to_numpy().tolist() == [[2, 1]]


# ----------------------------------------------------------------------- what is left out


def test_deleted_receipts_and_lines_are_skipped():
    frames = frames_of(
        [
            receipt(1, 5.0, deleted_at="2026-01-02 10:00:00", total=99.0),
            receipt(2, 5.0, deleted_at=None),
        ],
        [
            line(1, 1, 3.0, deleted_at=None, total=77.0),
            line(2, 1, 5.0, deleted_at=None),
            line(2, 1, 7.0, deleted_at="2026-01-02 10:00:00"),
        ],
        [paid(1, 1.0), paid(2, 5.0)],
    )
    assert named(frames) == {}


def test_lines_and_payments_of_other_receipts_are_left_out():
    frames = books()
    frames["receipts"] = frames["receipts"].query("id == 2")
    frames["receipt_products"].loc[0, "total"] = 99.0
    assert named(frames) == {}


@pytest.mark.parametrize(
    ("tables", "parts"),
    [
        (["receipts"], {"total"}),
        (["receipts", "receipt_payments"], {"total", "payments"}),
        (["receipts", "receipt_products"], {"total", "lines", "line"}),
        (["receipt_products"], {"line"}),
        (["receipt_products", "receipt_payments"], {"line"}),
    ],
)
def test_a_part_whose_tables_are_not_there_is_not_checked(tables, parts):
    frames = books()
    frames["receipts"].loc[0, "total"] += 3.0
    frames["receipt_products"].loc[0, "total"] += 3.0
    assert set(named({name: frames[name] for name in tables})) == parts


@pytest.mark.parametrize("tables", [[], ["receipt_payments"]])
def test_nothing_to_check_is_an_error_and_not_a_good_result(tables):
    with pytest.raises(ValueError, match="expected receipts or receipt_products"):
        reconcile({name: books()[name] for name in tables})


def test_empty_tables_add_up():
    frames = {name: frame.iloc[:0] for name, frame in books().items()}
    pd.testing.assert_frame_equal(reconcile(frames), reconcile(books()))


@pytest.mark.parametrize("column", ["total_discount", "delivery_fee", "e_tax", "remaining"])
def test_a_missing_charge_is_none(column):
    frames = books()
    frames["receipts"].loc[1, column] = None
    assert named(frames) == {}
    frames["receipts"].loc[1, "total"] += 1.0
    assert named(frames) == {"total": 1.0, "payments": -1.0}


def test_a_sum_with_a_missing_amount_is_not_checked():
    frames = books()
    frames["receipts"].loc[0, ["total", "total_tax"]] = None
    frames["receipt_products"].loc[3, ["total", "subtotal"]] = None
    assert named(frames) == {}


# --------------------------------------------------------- what passes as another reading


def test_a_subtotal_may_be_that_after_the_lines_own_discounts():
    frames = books()
    frames["receipts"].loc[0, ["subtotal", "total_discount"]] = [15.0, 1.5]
    assert named(frames) == {}


@pytest.mark.parametrize(
    ("changes", "subtotal", "discount"),
    [
        ({"total_discount": 0.0}, 20.0, 6.5),
        ({"total_discount": 0.0}, 16.0, 2.5),
        ({"total_discount": 0.0, "total": 4.0}, 16.0, 2.5),
        ({"total_discount": 0.0, "subtotal": 0.0}, 16.0, 2.5),
    ],
)
def test_a_gift_may_be_written_in_several_ways(changes, subtotal, discount):
    frames = books()
    frames["receipt_products"].loc[1, list(changes)] = list(changes.values())
    frames["receipts"].loc[0, ["subtotal", "total_discount"]] = [subtotal, discount]
    assert named(frames) == {}


@pytest.mark.parametrize(("rate", "value"), [(10.0, 2.0), (10.0, 1.7), (3.3, 3.3)])
def test_a_service_charge_may_be_of_the_sum_before_discounts_or_an_amount(rate, value):
    frames = books()
    frames["receipts"].loc[0, ["service_charge", "service_charge_value"]] = [rate, value]
    assert "service_charge" not in named(frames)


@pytest.mark.parametrize("add_ons", [{}, {"receipt_modificators": OTHER_ADD_ONS.iloc[:0]}])
def test_a_line_whose_add_ons_are_not_known_may_cost_more_but_not_less(add_ons):
    frames = books()
    del frames["receipt_modificators"]
    frames |= add_ons
    frames["receipt_products"].loc[0, "price"] = 4.0
    assert named(frames) == {}
    frames["receipt_products"].loc[0, "price"] = 6.0
    assert named(frames) == {"price": -2.0}


@pytest.mark.parametrize("extra", [{"id": 7}, {"meta_product_type": "TIMER"}])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_line_with_add_ons_and_a_timer_may_cost_more(extra, sign):
    dear = line(1, sign * 2, 5.0, subtotal=sign * 12.0, total=sign * 12.0)
    add_ons = typed([{"receipt_product_id": 7}])
    plain = {"receipt_products": typed([dear]), "receipt_modificators": add_ons}
    assert named(plain) == {"price": sign * 2.0}
    assert named(plain | {"receipt_products": typed([dear | extra])}) == {}


@pytest.mark.parametrize(("subtotal", "parts"), [(5.0, {}), (10.0, {}), (4.0, {"price": -1.0})])
def test_a_price_may_be_of_a_portion_or_of_the_whole(subtotal, parts):
    half = line(1, 1, 10.0, portion_size=0.5, subtotal=subtotal, total=subtotal)
    frames = {"receipt_products": typed([half]), "receipt_modificators": OTHER_ADD_ONS}
    assert named(frames) == parts


# ------------------------------------------------------------------------------ tolerance


def test_a_cent_passes_and_two_do_not():
    frames = books()
    frames["receipts"].loc[1, "total_tax"] = 0.01
    assert named(frames) == {}
    assert named(frames, tolerance=0) == {"taxes": 0.01}
    frames["receipts"].loc[1, "total_tax"] = 0.02
    assert named(frames) == {"taxes": 0.02}


def test_each_of_many_lines_may_be_half_a_cent_off():
    lines = [line(1, 1, 1.0) for _ in range(6)]
    frames = frames_of([receipt(1, 6.03)], lines, [paid(1, 6.03)])
    assert named(frames) == {}
    frames["receipts"][["subtotal", "total"]] = 6.04
    frames["receipt_payments"]["amount"] = 6.04
    assert named(frames) == {"lines": 0.04}


# --------------------------------------------------------------------------- other dtypes


def decimals(column: pd.Series) -> pd.Series:
    exact = pa.array(column, from_pandas=True).cast(pa.decimal128(38, 4))
    return pd.Series(exact.to_pandas(types_mapper=pd.ArrowDtype), index=column.index)


def as_decimals(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: decimals(frame[name]) for name in frame.select_dtypes("float64")})


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(frame.select_dtypes("float64"), "string"))


def as_arrow(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.convert_dtypes(dtype_backend="pyarrow")


@pytest.mark.parametrize("other", [as_decimals, as_text, as_arrow, pd.DataFrame.convert_dtypes])
def test_the_result_is_the_same_whatever_the_dtypes(other):
    frames = books()
    frames["receipts"].loc[0, "total"] += 3.0
    frames["receipts"].loc[1, "delivery_fee"] = None
    frames["receipt_products"].loc[3, "total"] -= 2.5
    found = reconcile({name: other(frame) for name, frame in frames.items()})
    assert len(found) == 4
    pd.testing.assert_frame_equal(found, reconcile(frames))


def test_the_frames_are_left_alone():
    frames, before = books(), books()
    frames["receipts"].attrs["clopos"] = {"complete": True}
    reconcile(frames)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frames[name], frame)


# ---------------------------------------------------------------------- generated receipts


AMOUNTS = {
    "receipts": [
        "total", "subtotal", "total_discount", "service_charge_value", "delivery_fee", "remaining",
        "i_tax", "e_tax", "total_tax",
    ],
    "receipt_products": ["price", "subtotal", "total", "total_discount", "receipt_discount"],
    "receipt_payments": ["amount"],
}  # fmt: skip
cents = st.integers(0, 50_000)
unhurried = settings(max_examples=50, deadline=None)  # frames take a while to make


@st.composite
def consistent(draw: st.DrawFn) -> Frames:
    """Draw receipts that add up, worked out in whole cents; a return has negative amounts."""
    receipts, lines, payments = [], [], []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        sign, subtotal, discount = draw(st.sampled_from([0.01, -0.01])), 0, 0
        for rank in range(draw(st.integers(1, 4))):
            count, price = draw(st.integers(1, 5)), draw(cents)
            gift = rank > 0 and draw(st.booleans())
            taken = count * price if gift else draw(st.integers(0, count * price))
            share = draw(st.integers(0, count * price - taken))
            subtotal, discount = subtotal + count * price, discount + taken + share
            made = line(number, count, price / 100, taken * sign, share * sign, is_gift=gift)
            made["count"], made["subtotal"] = count * sign * 100, count * price * sign
            lines.append(made | {"total": (count * price - taken) * sign})
        rate, fee, included, added, rest = (draw(cents) for _ in range(5))
        charge = round((subtotal - discount) * (rate % 30) / 100)
        total = subtotal - discount + charge + added + fee
        extra = {
            "total_discount": discount, "service_charge_value": charge, "delivery_fee": fee,
            "remaining": min(rest, total), "i_tax": included, "e_tax": added,
            "total_tax": included + added, "total": total,
        }  # fmt: skip
        amounts = {name: amount * sign for name, amount in extra.items()}
        receipts.append(receipt(number, subtotal * sign, service_charge=rate % 30, **amounts))
        payments.append(paid(number, (total - min(rest, total)) * sign))
    return frames_of(receipts, lines, payments)


@unhurried
@given(consistent())
def test_receipts_that_add_up_are_not_named(frames):
    assert named(frames) == {}


@unhurried
@given(consistent(), st.data())
def test_any_changed_amount_is_found(frames, data):
    table = data.draw(st.sampled_from(list(AMOUNTS)))
    column = data.draw(st.sampled_from(AMOUNTS[table]))
    frame = frames[table]
    rows = frame.index[~frame["is_gift"]] if table == "receipt_products" else frame.index
    row = data.draw(st.sampled_from(list(rows)))
    by = data.draw(st.integers(3, 100_000)) * data.draw(st.sampled_from([0.01, -0.01]))
    frame[column] = frame[column].astype("float64")
    frame.loc[row, column] += by
    key = "id" if table == "receipts" else "receipt_id"
    assert set(reconcile(frames)["receipt_id"]) == {frame.loc[row, key]}
