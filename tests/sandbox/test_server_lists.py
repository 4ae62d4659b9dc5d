"""Lists and single objects: envelopes, paging, order and venues."""

from __future__ import annotations

import gc

import pytest

LISTS = {
    "/users": 200,
    "/customers": 999,
    "/customer-groups": 200,
    "/categories": 999,
    "/stations": 200,
    "/products": 100,
    "/sale-types": 200,
    "/payment-methods": 200,
    "/orders": 100,
    "/receipts": 200,
}
PAGINATED = {"/price-lists": 999, "/price-lists/prices": 999}
SINGLES = {
    "/users": ("resource_not_found", "User not found", r"App\Models\Auth\User"),
    "/customers": (
        "resource_not_found",
        "Customer not found",
        r"App\Models\Client\Marketing\Customer",
    ),
    "/categories": ("resource_not_found", "Category not found", r"App\Models\Client\Category"),
    "/stations": ("resource_not_found", "Station not found", r"App\Models\Client\Station"),
    "/products": ("resource_not_found", "Product not found", r"App\Models\Client\Product"),
    "/orders": ("resource_not_found", "Order not found", r"App\Models\Client\ServiceNotification"),
    "/receipts": ("not_found", "Receipt not found", r"App\Models\Client\Receipt"),
}


def walk(api, path, limit, **kw):
    joint = "&" if "?" in path else "?"
    rows, page = [], 1
    while True:
        body = api.get(f"{path}{joint}limit={limit}&page={page}", **kw).json()
        if not body["data"]:
            return rows, body.get("total", body.get("pagination", {}).get("total"))
        rows += body["data"]
        page += 1


@pytest.mark.parametrize("path", LISTS)
def test_list_has_the_documented_envelope(api, path):
    body = api.get(path).json()
    assert set(body) == {"success", "data", "total", "sorts", "time", "timestamp", "unix"}
    assert body["success"] is True
    assert 0 < len(body["data"]) <= 50
    assert body["total"] >= len(body["data"])
    assert body["sorts"][0] == "id"
    assert body["time"] >= 1


@pytest.mark.parametrize("path", PAGINATED)
def test_price_lists_have_pagination_instead_of_a_total(api, path):
    body = api.get(f"{path}?limit=1&page=2").json()
    assert set(body) == {"success", "data", "pagination", "time", "timestamp", "unix"}
    total = body["pagination"]["total"]
    assert body["pagination"] == {"page": 2, "per_page": 1, "total": total, "total_pages": total}


@pytest.mark.parametrize("path", ["/venues", "/products/stop-list"])
def test_venues_and_stop_list_have_no_total(api, path):
    body = api.get(path).json()
    assert set(body) == {"success", "data", "time", "timestamp", "unix"}
    assert body["data"]


def test_stock_operations_are_data_and_nothing_else(api):
    ids = [row["id"] for row in api.data("/receipts?filters[0][0]=status&filters[0][1]=2&limit=5")]
    bodies = [api.get(f"/receipts/{id}/stock-operations").json() for id in ids]
    assert all(set(body) == {"data"} for body in bodies)
    assert any(body["data"] for body in bodies)


@pytest.mark.parametrize("path", SINGLES)
def test_single_object_is_the_row_of_its_list(api, path):
    row = api.data(f"{path}?limit=3")[-1]
    body = api.get(f"{path}/{row['id']}").json()
    assert set(body) == {"success", "data", "time", "timestamp", "unix"}
    assert body["data"]["id"] == row["id"]
    assert body["data"].keys() >= row.keys()


@pytest.mark.parametrize("path", SINGLES)
def test_absent_object_is_404_as_documented(api, path):
    error, message, _ = SINGLES[path]
    answer = api.get(f"{path}/987654321")
    assert answer.status_code == 404
    assert answer.json() == {"success": False, "error": error, "message": message}


@pytest.mark.parametrize("path", SINGLES)
def test_absent_object_is_a_list_of_errors_with_the_legacy_switch(legacy, path):
    answer = legacy.get(f"{path}/987654321")
    assert answer.status_code == 404
    assert answer.json() == {
        "success": False,
        "error": [
            {
                "message": f"No query results for model [{SINGLES[path][2]}] 987654321",
                "type": "server_side",
                "exception": "NotFoundHttpException",
                "http_code": 404,
            }
        ],
    }


@pytest.mark.parametrize("path", SINGLES)
def test_malformed_id_is_a_clear_4xx(api, path):
    for bad in ("x", "1.5", "%00", "1%20or%201", "ffffffff-ffff-ffff-ffff-fffffffffff"):
        answer = api.get(f"{path}/{bad}")
        assert answer.status_code == (404 if path == "/orders" else 400)
        assert answer.json()["success"] is False


def test_receipt_by_cid_is_the_receipt_by_id(api):
    row = api.data("/receipts?limit=1")[0]
    assert api.data(f"/receipts/cid/{row['cid']}") == api.data(f"/receipts/{row['id']}")
    assert api.data(f"/receipts/cid/{row['cid'].upper()}")["id"] == row["id"]


def test_receipt_by_cid_tells_malformed_from_absent(api):
    malformed = api.get("/receipts/cid/not-a-uuid")
    absent = api.get("/receipts/cid/00000000-0000-4000-8000-000000000000")
    assert (malformed.status_code, malformed.json()["error"]) == (400, "invalid_parameter")
    assert (absent.status_code, absent.json()["error"]) == (404, "not_found")


def test_stock_operations_of_an_absent_receipt_are_404(api):
    answer = api.get("/receipts/987654321/stock-operations")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize("path", [*LISTS, *PAGINATED])
def test_pages_hold_every_row_exactly_once(api, path):
    rows, total = walk(api, path, 100 if path in ("/receipts", "/price-lists/prices") else 37)
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) == total > 0


@pytest.mark.parametrize("path", ["/receipts", "/orders"])
@pytest.mark.parametrize("by", ["created_at", "id", "updated_at"])
def test_both_directions_hold_the_same_rows_in_opposite_order(api, path, by):
    up, total = walk(api, f"{path}?sort[0]={by}&sort[1]=1", 100)
    down, _ = walk(api, f"{path}?sort[0]={by}&sort[1]=-1", 100)
    assert [row["id"] for row in up] == [row["id"] for row in reversed(down)]
    assert len(up) == total
    keys = [(row[by], row["id"]) for row in up]
    assert keys == sorted(keys)


@pytest.mark.parametrize("path", ["/receipts", "/orders"])
def test_newest_comes_first_unless_asked_otherwise(api, path):
    rows = api.data(path)
    keys = [(row["created_at"], row["id"]) for row in rows]
    assert keys == sorted(keys, reverse=True)


def test_small_lists_come_in_order_of_id(api):
    ids = [row["id"] for row in api.data("/customers")]
    assert ids == sorted(ids)


def test_sort_by_total_and_by_a_nullable_field(api):
    totals = [row["total"] for row in api.data("/receipts?sort[0]=total&sort[1]=-1&limit=200")]
    assert totals == sorted(totals, reverse=True)
    closed = [row["closed_at"] for row in api.data("/receipts?sort[0]=closed_at&sort[1]=1")]
    assert closed == sorted(closed, key=lambda text: text or "")


def test_price_lists_sort_by_nested_pairs(api):
    names = [r["name"] for r in api.data("/price-lists?sort[0][0]=name&sort[0][1]=desc")]
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize(("path", "most"), [*LISTS.items(), *PAGINATED.items()])
def test_limit_above_the_maximum_is_clamped(api, path, most):
    body = api.get(f"{path}?limit=100000").json()
    total = body.get("total") or body["pagination"]["total"]
    assert len(body["data"]) == min(total, most)


@pytest.mark.parametrize("path", [*LISTS, *PAGINATED])
def test_page_beyond_the_end_is_empty_with_the_true_total(api, path):
    first, beyond = api.get(path).json(), api.get(f"{path}?page=99999").json()
    assert beyond["data"] == []
    assert beyond.get("total") == first.get("total")


@pytest.mark.parametrize("bad", ["page=0", "page=-1", "page=x", "page=", "limit=0", "limit=1.5"])
def test_page_and_limit_must_be_positive_integers(api, bad):
    answer = api.get(f"/receipts?{bad}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_parameter")


def test_no_page_still_means_fifty_rows(api):
    assert len(api.data("/receipts")) == 50


def test_token_stands_for_the_main_venue(api, sandbox):
    assert {row["venue_id"] for row in api.data("/receipts")} == {sandbox.brand.venue_ids[0]}


def test_x_venue_shows_that_venues_rows_only(api, sandbox):
    seen = []
    for venue in sandbox.brand.venue_ids:
        rows, total = walk(api, "/receipts", 200, venue=venue)
        assert {row["venue_id"] for row in rows} == {venue}
        assert total == sandbox.brand.log("receipts", venue).total(None, None)
        seen += [row["id"] for row in rows]
    assert len(seen) == len(set(seen))


def test_receipt_of_another_venue_is_404(api, sandbox):
    first, second = sandbox.brand.venue_ids[:2]
    id = api.data("/receipts?limit=1", venue=second)[0]["id"]
    assert api.get(f"/receipts/{id}", venue=second).status_code == 200
    assert api.get(f"/receipts/{id}", venue=first).status_code == 404


def test_venues_are_the_same_from_every_venue(api, sandbox):
    lists = [api.data("/venues", venue=venue) for venue in sandbox.brand.venue_ids]
    assert lists[0] == lists[1]
    assert [row["id"] for row in lists[0]] == sandbox.brand.venue_ids


def test_x_venue_that_is_no_integer_is_400(api):
    for bad in ("x", "1.5", "", "1,2"):
        answer = api.get("/receipts", venue=bad)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_parameter")


def test_unknown_x_venue_is_404(api):
    answer = api.get("/receipts", venue=987654)
    assert answer.status_code == 404
    assert answer.json()["message"] == "Venue not found"


def test_unknown_path_and_wrong_method_are_json(api, sandbox):
    assert api.get("/nope").json()["error"] == "not_found"
    elsewhere = api.http.get(sandbox.url.replace("/open-api/v2", "/open-api/venues"), timeout=9)
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (404, "not_found")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = api.http.request(
            method, f"{sandbox.url}/receipts", headers={"x-token": api.token}, timeout=10
        )
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
        assert answer.json()["error"] == "method_not_allowed"


def test_front_page_lists_the_endpoints(api, sandbox):
    page = api.http.get(sandbox.url.replace("/open-api/v2", "/"), timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<code>GET /receipts</code>" in page.text


def test_answers_are_not_compressed_and_keep_the_connection(api):
    answer = api.get("/receipts", headers={"x-token": api.token, "Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers.get("Connection", "keep-alive") != "close"


def test_remembered_rows_give_the_garbage_collector_nothing_to_walk(api):
    """A collection that walks every remembered row would fall into the middle of a page."""
    pages = [f"/receipts?limit=200&page={page}" for page in range(1, 6)]
    for page in pages:  # the receipts themselves, in another shape
        api.get(page)
    gc.disable()
    try:
        gc.collect()
        for page in pages:
            api.get(f"{page}&with[]=receipt_products")
        left = gc.get_count()[0]
    finally:
        gc.enable()
    assert left < 500  # of a thousand rows
