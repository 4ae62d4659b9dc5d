"""Receipts of a sandbox against their own lines and payments, as made and after writes."""

from __future__ import annotations

import pytest

from clopos_nb import reconcile

TABLES = ["receipts", "receipt_modificators", "receipt_products", "receipt_payments"]


@pytest.mark.parametrize(
    "how",
    [{}, {"dtype_backend": "pyarrow", "money": "decimal"}, {"categorical": True}],
    ids=["plain", "exact", "categorical"],
)
def test_january_of_all_venues_adds_up(reader, how):
    frames = reader.frames(TABLES, "2026-01", progress=False, **how)
    assert all(len(frame) > 100 for frame in frames.values())
    assert reconcile(frames).to_dict("records") == []


def test_a_venue_adds_up_and_an_edited_frame_does_not(reader):
    frames = reader.venue(3).frames(TABLES, "2026-01", progress=False)
    assert len(reconcile(frames)) == 0
    frames["receipt_payments"] = frames["receipt_payments"].drop(index=5)
    frames["receipt_products"].loc[9, "receipt_discount"] += 0.5
    unpaid = reader.venue(3).frame("receipt_payments", "2026-01", progress=False).loc[5]
    found = reconcile(frames).set_index("part")
    assert found.loc["payments", "receipt_id"] == unpaid["receipt_id"]
    assert found.loc["payments", "difference"] == pytest.approx(-unpaid["amount"])
    assert found.loc["lines", "receipt_id"] == frames["receipt_products"].loc[9, "receipt_id"]
    assert set(found["venue_id"]) == {3}


def test_amounts_that_arrive_as_text_add_up(fresh, open_session):
    fresh.faults.add("changed_types")
    frames = open_session(fresh).venue(1).frames(TABLES, "2026-01-09", progress=False)
    assert reconcile(frames).to_dict("records") == []


def test_a_server_that_sends_a_wrong_amount_is_found_out(reader, faulty, open_session, envelope):
    related = ["receipt_products", "receipt_products.modificators"]
    rows = reader.get("/receipts", {"with": related, "limit": 40}, venue=1)
    wrong = next(row for row in rows if row["payment_methods"])
    wrong["payment_methods"][0]["amount"] += 0.25
    faulty.on("/receipts", envelope(*rows))
    found = reconcile(open_session(faulty).venue(1).frames(TABLES))
    assert found[["receipt_id", "part", "difference"]].to_numpy().tolist() == [
        [wrong["id"], "payments", 0.25]
    ]


def test_receipts_that_were_written_and_closed_add_up(fresh, open_session):
    session = open_session(fresh, today=fresh.today)
    dish = session.frame("products", filters={"type": "DISH"}).query("price > 0").iloc[0]
    ordered = {
        "product_id": int(dish["id"]), "product_name": "Dish", "count": 3,
        "price": float(dish["price"]), "status": "new", "product_hash": str(dish["id"]),
    }  # fmt: skip
    order = {
        "sale_type_id": 2, "venue_id": 1, "products": [ordered],
        "customer": {"id": 0, "phone": "+994500000000", "address": "Street 1", "name": "Guest"},
        "discount": {"discount_type": 1, "discount_value": 7.5},
    }  # fmt: skip
    fresh.books.clerk.mode = "on_demand"
    for fee in (0, 2.5):
        session.request("POST", "/orders", json=order | {"delivery_fee": fee}, venue=1)
    fresh.books.clerk.work()
    opened = session.frame("receipts", filters={"discount_value": 7.5}, venues=[1], progress=False)
    assert (opened["remaining"] == opened["total"]).tolist() == [True, True]
    bill = opened.iloc[0]
    parts = [{"id": 1, "name": "Cash", "amount": 5}]
    parts.append({"id": 2, "name": "Card", "amount": round(float(bill["total"]) - 5, 2)})
    paying = {"payment_methods": parts}
    session.request("POST", f"/receipts/{bill['id']}/close", json=paying, venue=1)
    edited, deleted = session.frame("receipts", "2026-01-30", venues=[2])["id"].iloc[:2]
    fresh.books.edit_receipt(2, int(edited))
    fresh.books.delete_receipt(2, int(deleted))

    frames = session.frames(TABLES, "last 30 days", progress=False)
    receipts = frames["receipts"].set_index("id")
    assert receipts.loc[opened["id"], "status"].tolist() == [2, 1]
    assert edited in receipts.index
    assert deleted not in receipts.index
    assert reconcile(frames).to_dict("records") == []
