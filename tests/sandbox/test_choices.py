"""Choices that the table of docs/sandbox.md tells, where no other file tests them."""

from __future__ import annotations

import pytest
from writing import order, send


def ids(api, path):
    return [row["id"] for row in api.data(path)]


def error(answer):
    return answer.status_code, answer.json()["error"]


def open_receipt(api):
    """Return a new receipt that is to be paid."""
    made = send(api, "POST", "/orders", order(api)).json()["data"]["id"]
    api.sandbox.books.clerk.work()
    receipt = api.data(f"/orders/{made}?with[]=receipt:id")["receipt"]
    return api.data(f"/receipts/{receipt['id']}")


def test_a_429_has_no_retry_after(make_api):
    api = make_api()
    refused = [api.auth() for _ in range(61)][-1]
    assert refused.status_code == 429
    assert "RateLimit-Reset" in refused.headers
    assert "Retry-After" not in refused.headers


def test_a_thousand_parameters_are_read_and_no_more(api):
    filler = "&".join(f"x{n}=1" for n in range(999))
    assert len(api.data(f"/receipts?{filler}&limit=3")) == 3
    answer = api.get(f"/receipts?{filler}&y=1&limit=3")
    # Recent releases of tornado refuse what older ones pass on, to be dropped.
    assert answer.status_code == 400 or len(answer.json()["data"]) > 3


def test_of_a_key_given_twice_the_last_counts(api):
    assert len(api.data("/receipts?limit=5&limit=3")) == 3


@pytest.mark.parametrize("path", ["/venues", "/products/stop-list"])
def test_lists_without_paging_ignore_page_and_limit(api, path):
    assert api.data(f"{path}?page=7&limit=1") == api.data(path) != []


def test_price_lists_have_pages(api):
    whole = ids(api, "/price-lists?limit=2")
    assert [ids(api, f"/price-lists?limit=1&page={page}")[0] for page in (1, 2)] == whole


def test_a_limit_above_the_maximum_is_clamped(api):
    assert len(api.data("/receipts?limit=5000")) == 200


def test_no_time_is_before_any_time(api):
    times = [
        row["closed_at"] for row in api.data("/receipts?limit=200&sort[0]=closed_at&sort[1]=1")
    ]
    assert times[0] is None
    assert times[-1] is not None
    assert times == sorted(times, key=lambda at: at or "")


@pytest.mark.parametrize("direction", [1, -1])
def test_ties_go_by_id_in_the_direction_of_the_sort(api, direction):
    rows = api.data(f"/receipts?limit=200&sort[0]=total&sort[1]={direction}")
    places = [(row["total"], row["id"]) for row in rows]
    assert len({total for total, _ in places}) < len(places), "no ties"
    assert places == sorted(places, reverse=direction < 0)


def test_only_price_lists_take_a_second_sort(api):
    asked = "/receipts?limit=9&sort[0]=id&sort[1]=1"
    assert ids(api, f"{asked}&sort[2]=total&sort[3]=-1") == ids(api, asked)


def test_days_that_end_before_they_start_have_no_rows(api):
    body = api.get("/receipts?date[0]=2026-02-25&date[1]=2026-02-24").json()
    assert (body["data"], body["total"]) == ([], 0)


def test_a_filter_that_no_row_can_answer_is_ignored(api):
    asked = "/products?filters[0][0]=sold_by_portion&filters[0][1]=1"
    assert ids(api, asked) == ids(api, "/products")


def test_categories_can_leave_their_children_out(api):
    rows = api.data("/categories?include_children=false")
    assert [row["children"] for row in rows] == [[]] * len(rows)
    assert any(row["children"] for row in api.data("/categories"))


def test_a_nested_category_is_found_by_its_id(api):
    child = next(row["children"][0] for row in api.data("/categories") if row["children"])
    assert api.data(f"/categories/{child['id']}")["name"] == child["name"]


def test_a_product_is_found_by_its_cid(api):
    # Which only legacy fields show.
    row = next(row for row in api.sandbox.brand.rows("products", 1) if row["cid"])
    assert api.data(f"/products/{row['cid'].upper()}")["id"] == row["id"]
    assert api.get("/products/7c9e6679-7425-40de-944b-e07fc1f90ae7").status_code == 404


def test_malformed_ids_are_400_except_those_of_orders(api):
    for path in ("/products/x", "/receipts/x", "/users/1.0", "/receipts/cid/1"):
        assert error(api.get(path)) == (400, "invalid_parameter"), path
    assert api.get("/orders/x").status_code == 404


def test_a_receipt_of_another_venue_is_404(api):
    receipt = api.get("/receipts?limit=1", venue=2).json()["data"][0]["id"]
    assert api.get(f"/receipts/{receipt}", venue=2).status_code == 200
    assert api.get(f"/receipts/{receipt}", venue=1).status_code == 404


def test_a_locked_receipt_takes_changes_and_a_cancelled_one_keeps_its_amounts(api):
    before = open_receipt(api)
    path = f"/receipts/{before['id']}"
    assert send(api, "PATCH", path, {"lock": True}).status_code == 200
    after = send(api, "PATCH", path, {"order_status": "CANCELLED"}).json()["data"]
    assert (after["lock"], after["order_status"]) == (True, "CANCELLED")
    assert (after["total"], after["remaining"]) == (before["total"], before["remaining"])


def test_payments_of_one_method_are_one_and_have_the_brand_s_name(api):
    receipt = open_receipt(api)
    parts = [round(receipt["remaining"] - 1, 2), 1]
    payments = [{"id": 1, "name": "Whatever", "amount": amount} for amount in parts]
    answer = send(api, "POST", f"/receipts/{receipt['id']}/close", {"payment_methods": payments})
    names = {row["id"]: row["name"] for row in api.data("/payment-methods")}
    paid = [{"id": 1, "name": names[1], "amount": receipt["remaining"]}]
    assert answer.json()["data"]["payment_methods"] == paid
    assert answer.json()["data"]["closed_at"] > receipt["created_at"]


def test_ignoring_twice_is_as_good_as_once_and_at_the_till_it_is_too_late(api):
    first, second = (send(api, "POST", "/orders", order(api)).json()["data"] for _ in range(2))
    for _ in range(2):
        answer = send(api, "PUT", f"/orders/{first['id']}", {"status": "IGNORE"})
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "IGNORE")
    api.sandbox.books.clerk.work()
    answer = send(api, "PUT", f"/orders/{second['id']}", {"status": "IGNORE"})
    assert error(answer) == (400, "validation_failed")


def test_null_for_an_optional_field_is_as_if_it_were_missing(api):
    optional = ("comment", "discount", "delivery_fee", "service_charge", "order_number")
    body = order(api, **dict.fromkeys(optional))
    assert send(api, "POST", "/orders", body).status_code == 200


def test_even_an_ingredient_can_be_ordered(api):
    row = api.data("/products?limit=1&filters[0][0]=type&filters[0][1]=INGREDIENT")[0]
    body = order(api)
    body["products"][0] |= {"product_id": row["id"], "product_name": row["name"]}
    assert send(api, "POST", "/orders", body).status_code == 200


def test_an_order_paid_by_the_client_is_delivered_too(api):
    receipt = open_receipt(api)
    pay = [{"id": 1, "name": "Cash", "amount": receipt["remaining"]}]
    path = f"/receipts/{receipt['id']}/close"
    assert send(api, "POST", path, {"payment_methods": pay}).status_code == 200
    api.sandbox.books.clerk.work()
    newest = api.data("/orders?limit=1&sort[0]=id&sort[1]=-1")[0]
    assert newest["status"] == "DELIVERED"
    assert (
        api.data(f"/receipts/{receipt['id']}")["payment_methods"][0]["amount"] == pay[0]["amount"]
    )
