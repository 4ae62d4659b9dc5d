"""The query grammar over real HTTP: sorts, days, filters, relations, columns, and rubbish."""

from __future__ import annotations

from datetime import date
from itertools import count
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clopos_nb.sandbox.query import parse


def refused(answer):
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("direction", ["2", "asc", "", "0", "+1"])
def test_sort_direction_must_be_one_or_minus_one(api, direction):
    answer = api.get("/receipts", params={"sort[0]": "created_at", "sort[1]": direction})
    assert refused(answer) == (400, "invalid_parameter")
    assert answer.json()["message"] == "sort[1] must be 1 or -1"


@pytest.mark.parametrize("bad", ["sort[0]=nope", "sort=id", "sort[0][0]=id&sort[0][1]=asc"])
def test_unknown_sorts_are_refused(api, bad):
    assert refused(api.get(f"/receipts?{bad}")) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    "bad", ["sort[0]=name&sort[1]=1", "sort[0][0]=x", "sort[0][0]=id&sort[0][1]=1"]
)
def test_price_lists_take_their_own_sort_grammar_only(api, bad):
    assert refused(api.get(f"/price-lists?{bad}")) == (400, "invalid_parameter")


def test_encoded_and_plain_brackets_are_the_same(api):
    plain = "sort[0]=total&sort[1]=1&filters[0][0]=status&filters[0][1]=2"
    encoded = "&".join(
        "=".join(quote(part) for part in pair.split("=")) for pair in plain.split("&")
    )
    assert "%5B" in encoded
    assert api.data(f"/receipts?{encoded}") == api.data(f"/receipts?{plain}")


@pytest.mark.parametrize("path", ["/receipts", "/orders"])
def test_days_are_inclusive_on_both_sides(api, sandbox, path):
    venue = sandbox.brand.venue_ids[0]
    log = sandbox.brand.log(path[1:], venue)
    first, last = date(2026, 2, 21), date(2026, 2, 23)
    body = api.get(f"{path}?date[0]={first}&date[1]={last}&limit=100").json()
    assert body["total"] == log.total(first, last) > 0
    if path == "/receipts":
        assert {row["created_at"][:10] for row in body["data"]} <= {
            "2026-02-21",
            "2026-02-22",
            "2026-02-23",
        }


def test_day_ranges_add_up_and_may_be_open(api):
    def total(text):
        return api.get(f"/receipts?{text}&limit=1").json()["total"]

    early, late = total("date[1]=2026-02-22"), total("date[0]=2026-02-23")
    assert early > 0
    assert late > 0
    assert early + late == total("")
    assert total("date[0]=2026-02-23&date[1]=2026-02-22") == 0


def test_filter_and_sort_stay_inside_the_days(api):
    text = "date[0]=2026-02-21&date[1]=2026-02-21&sort[0]=total&sort[1]=1&limit=200"
    rows = api.data(f"/receipts?{text}")
    assert {row["created_at"][:10] for row in rows} == {"2026-02-21"}
    assert len(rows) == api.get("/receipts?date[0]=2026-02-21&date[1]=2026-02-21").json()["total"]


@pytest.mark.parametrize(
    "bad",
    [
        "date[0]=21.02.2026",
        "date[0]=2026-02-30",
        "date[1]=",
        "date=2026-02-21",
        "date[0][x]=2026-02-21",
        "date[0]=20260221",
        "date[0]=2026-02-21 10:00:00",
    ],
)
def test_bad_days_are_refused_where_days_count(api, bad):
    assert refused(api.get(f"/receipts?{bad}")) == (400, "invalid_parameter")
    assert api.get(f"/customers?{bad}").status_code == 200


def test_dates_are_ignored_by_other_lists(api):
    assert api.data("/products?date[0]=2030-01-01") == api.data("/products")


def test_list_filter_is_or_and_several_filters_are_and(api):
    everything = api.data("/products?limit=100")
    types = sorted({row["type"] for row in everything})[:2]
    query = f"filters[0][0]=type&filters[0][1][0]={types[0]}&filters[0][1][1]={types[1]}"
    either = api.get(f"/products?limit=100&{query}").json()
    assert {row["type"] for row in either["data"]} == set(types)
    assert either["total"] < api.get("/products").json()["total"]
    category = either["data"][0]["category_id"]
    both = api.data(
        f"/products?limit=100&{query}&filters[9][0]=category_id&filters[9][1]={category}"
    )
    assert both
    assert all(row["type"] in types and row["category_id"] == category for row in both)


@pytest.mark.parametrize("name", ["giftable", "discountable"])
def test_yes_or_no_filters_of_products_split_the_list(api, name):
    total = api.get("/products").json()["total"]
    yes, no = (
        api.get(f"/products?limit=100&filters[0][0]={name}&filters[0][1]={value}").json()
        for value in "10"
    )
    assert yes["total"] + no["total"] == total
    assert all(row[name] is True for row in yes["data"])


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("haveIngredients", "recipe"),
        ("has_variants", "modifications"),
        ("has_modifiers", "modificator_groups"),
    ],
)
def test_has_filters_of_products_match_their_relation(api, name, relation):
    rows = api.data(f"/products?filters[0][0]={name}&filters[0][1]=1&with[]={relation}&limit=100")
    assert rows
    assert all(row[relation] for row in rows)


def test_customers_filter_by_part_of_a_name_and_by_group(api):
    some = api.data("/customers?limit=999")
    part = some[0]["name"][:3]
    found = api.data("/customers", params={"filters[0][0]": "name", "filters[0][1]": part.upper()})
    assert some[0] in found
    assert all(part.casefold() in row["name"].casefold() for row in found)
    group = some[0]["group_id"]
    found = api.data(f"/customers?limit=999&filters[0][0]=group_id&filters[0][1]={group}")
    assert found == [row for row in some if row["group_id"] == group]


def test_customers_filter_by_phone_number(api):
    customer = next(row for row in api.data("/customers?limit=999") if row["phone"])
    params = {"filters[0][0]": "phones", "filters[0][1]": customer["phone"]}
    assert customer in api.data("/customers", params=params)


def test_receipts_filter_by_status_and_sale_type(api):
    rows = api.data("/receipts?filters[0][0]=status&filters[0][1]=2&limit=200")
    assert {row["status"] for row in rows} == {2}
    sale_type = rows[0]["sale_type_id"]
    query = (
        f"filters[0][0]=status&filters[0][1]=2&filters[1][0]=sale_type_id&filters[1][1]={sale_type}"
    )
    both = api.data(f"/receipts?{query}&limit=200")
    assert {(row["status"], row["sale_type_id"]) for row in both} == {(2, sale_type)}


def test_orders_take_status_as_a_plain_parameter(api):
    status = api.data("/orders?limit=1")[0]["status"]
    rows = api.data(f"/orders?status={status}&limit=100")
    assert {row["status"] for row in rows} == {status}
    answer = api.get("/orders?status=NOPE")
    assert refused(answer) == (400, "invalid_parameter")
    assert answer.json()["message"] == (
        "status must be one of PENDING, RECEIVED, IGNORE, DELIVERED"
    )


@pytest.mark.parametrize(
    "text",
    [
        "filters[0][0]=no_such_field&filters[0][1]=1",
        "filters[0]=type",
        "filters=%7B%22type%22%3A%5B%22DISH%22%5D%7D",
        "filters[0][0]=type",
        "filter[0][0]=type&filter[0][1]=DISH",
    ],
)
def test_unknown_and_malformed_filters_are_ignored(api, text):
    assert api.data(f"/products?{text}") == api.data("/products")


def test_stop_list_takes_ids_and_refuses_malformed_ones(api):
    rows = api.data("/products/stop-list")
    ids = [row["id"] for row in rows][:2]
    query = "&".join(
        ["filters[0][0]=id", *(f"filters[0][1][{n}]={id}" for n, id in enumerate(ids))]
    )
    assert [row["id"] for row in api.data(f"/products/stop-list?{query}")] == ids
    for bad in ("filters[0][0]=id&filters[0][1][0]=x", "filters=x", "filters[0]=id"):
        answer = api.get(f"/products/stop-list?{bad}")
        assert refused(answer) == (400, "invalid_parameter")
        assert answer.json()["message"] == "Invalid filter parameters"


def test_prices_filter_by_list(api):
    first = api.data("/price-lists?limit=1")[0]["id"]
    rows = api.data(f"/price-lists/prices?filters[0][0]=list_id&filters[0][1]={first}&limit=999")
    assert {row["list_id"] for row in rows} == {first}


def test_categories_are_a_tree_of_active_ones(api):
    def flat(rows):
        for row in rows:
            yield row
            yield from flat(row["children"])

    roots = api.data("/categories?limit=999")
    shown = list(flat(roots))
    assert {row["parent_id"] for row in roots} == {None}
    assert any(row["children"] for row in roots)
    assert {row["status"] for row in shown} == {1}
    everything = list(flat(api.data("/categories?limit=999&include_inactive=true")))
    assert len(everything) >= len(shown)
    bare = api.data("/categories?limit=999&include_children=false")
    assert [row["id"] for row in bare] == [row["id"] for row in roots]
    assert not any(row["children"] for row in bare)


def test_categories_take_parent_and_type(api):
    parent = next(row for row in api.data("/categories?limit=999") if row["children"])
    children = api.data(f"/categories?parent_id={parent['id']}")
    assert children == sorted(parent["children"], key=lambda row: row["id"])
    assert api.data(f"/categories/{children[0]['id']}")["parent_id"] == parent["id"]
    rows = api.data("/categories?type=INGREDIENT&limit=999")
    assert {row["type"] for row in rows} == {"INGREDIENT"}
    for bad in ("type=X", "filters[0][0]=type&filters[0][1]=X"):
        answer = api.get(f"/categories?{bad}")
        assert refused(answer) == (400, "invalid_parameter")
        assert answer.json()["message"] == "type must be one of PRODUCT, INGREDIENT, ACCOUNTING"


def test_stations_take_status_and_can_print(api):
    everything = api.data("/stations?limit=200")
    printing = api.data("/stations?limit=200&can_print=true")
    silent = api.data("/stations?limit=200&can_print=false")
    assert len(printing) + len(silent) == len(everything)
    assert {row["printable"] for row in printing} <= {1}
    assert all(row["status"] == 1 for row in api.data("/stations?status=1"))
    assert refused(api.get("/stations?can_print=maybe")) == (400, "invalid_parameter")


def test_relations_appear_only_when_asked_for(api):
    assert "receipt_products" not in api.data("/receipts?limit=1")[0]
    for text in ("with[0]=receipt_products", "with[]=receipt_products", "with=receipt_products"):
        row = api.data(f"/receipts?limit=1&{text}")[0]
        assert row["receipt_products"]
        assert not any("modificators" in line for line in row["receipt_products"])
        assert not any("product" in line for line in row["receipt_products"])


def test_dot_path_includes_what_it_goes_through(api):
    text = (
        "with[0]=receipt_products.modificators.modificator_group"
        "&with[1]=receipt_products.product.unit"
    )
    rows = api.data(f"/receipts?limit=50&{text}")
    lines = [line for row in rows for line in row["receipt_products"]]
    assert any(line["modificators"] for line in lines)
    assert all("modificator_group" in m for line in lines for m in line["modificators"])
    units = [line["product"] for line in lines if line["product"]]
    assert all("unit" in product and "station" not in product for product in units)


def test_single_receipt_takes_the_same_relations(api):
    id = api.data("/receipts?limit=1")[0]["id"]
    assert "receipt_products" not in api.data(f"/receipts/{id}")
    assert api.data(f"/receipts/{id}?with[]=receipt_products")["receipt_products"]


def test_columns_of_a_relation_can_be_chosen(api):
    rows = api.data("/orders?limit=100&with[0]=receipt:id,service_notification_id,status")
    found = [row["receipt"] for row in rows if row["receipt"]]
    assert found
    assert all(set(receipt) == {"id", "service_notification_id", "status"} for receipt in found)


def test_product_relations_differ_between_list_and_single(api):
    rows = api.data("/products?limit=100&with[]=unit&with[]=taxes&with[]=category")
    assert all("unit" not in row and "taxes" in row and "category" in row for row in rows)
    single = api.data(f"/products/{rows[0]['id']}?with[]=unit&with[]=category")
    assert "unit" in single
    assert "category" not in single


def test_unknown_relations_are_ignored(api):
    assert api.data("/receipts?with[]=nope&with[]=receipt_products.nope") == api.data("/receipts")


def test_customers_take_their_group(api):
    row = api.data("/customers?limit=1&with[]=group&with[]=balance")[0]
    assert row["group"]["id"] == row["group_id"]
    assert "balance" not in row


def test_selects_keep_the_columns_that_always_come(api):
    for text in ("selects=price,nope", "selects[]=price"):
        row = api.data(f"/products?limit=1&{text}")[0]
        assert set(row) == {"id", "name", "type", "price"}
    row = api.data("/price-lists?limit=1&selects=status")[0]
    assert set(row) == {"id", "name", "status"}
    assert "user_id" not in api.data("/receipts?limit=1&selects=user_id")[0]


def test_legacy_switch_adds_fields_and_relations(api, legacy):
    for path, field in [
        ("/receipts", "totalCost"),
        ("/users", "pin"),
        ("/venues", "status"),
        ("/products", "meta"),
        ("/categories", "slug"),
        ("/stations", "can_print"),
        ("/customers", "balance_id"),
        ("/customer-groups", "total_amount"),
        ("/payment-methods", "balance_id"),
        ("/sale-types", "deleted_at"),
        ("/orders", "receipt_id"),
    ]:
        assert field not in api.data(path)[0], path
        assert field in legacy.data(path)[0], path
    assert "amount" in legacy.data("/customers?limit=1&with[]=balance")[0]["balance"]
    id = legacy.data("/receipts?limit=1")[0]["id"]
    assert legacy.get(f"/receipts/{id}/stock-operations").json()["success"] is True


def test_nested_legacy_fields_follow_the_switch(api, legacy):
    text = "/receipts?limit=20&with[]=receipt_products"
    plain = [line for row in api.data(text) for line in row["receipt_products"]]
    full = [line for row in legacy.data(text) for line in row["receipt_products"]]
    assert set(plain[0]["meta"]) == {"product"}
    assert set(plain[0]["meta"]["product"]) == {"name", "type", "price", "barcode"}
    assert set(full[0]["meta"]) > {"product"}
    assert set(full[0]) > set(plain[0])
    assert "venue_name" not in api.data("/orders?limit=1")[0]["payload"]["service"]


def test_brackets_are_read_as_php_would():
    assert parse("a[]=1&a[]=2&a[5]=3&a[]=4") == {"a": {"0": "1", "1": "2", "5": "3", "6": "4"}}
    assert parse("a=1&a[x][y]=2") == {"a": {"x": {"y": "2"}}}
    assert parse("a[x]=1&a=2") == {"a": "2"}
    assert parse("a[=1&]b=2&[c]=3&d]=4&=5&e[f=6&g[h]i=7") == {}


@pytest.fixture
def unlimited(make_api):
    """A sandbox whose clock jumps a minute whenever it is read: no call is ever one too many."""
    return make_api(clock=count(step=60).__next__)


PIECES = st.sampled_from(
    [
        *("[", "]", "[]", "[0]", "[1]", "[-1]", "[x]", "=", "&", ";", "%5B", "%5D", "%", "%zz"),
        *("%00", "%ff", "sort", "filters", "with", "date", "page", "limit", "selects", "status"),
        *("parent_id", "type", "include_children", "can_print", "id", "1", "-1", "0", "name"),
        *("999999999999999999999", "1e9", "2026-02-21", "receipt_products", ".", ":", ",", "é"),
    ]
)
PATHS = st.sampled_from(
    [
        *("/venues", "/users", "/customers", "/categories", "/categories/1", "/stations"),
        *("/products", "/products/1", "/products/stop-list", "/price-lists", "/receipts"),
        *("/price-lists/prices", "/orders", "/orders/1", "/sale-types", "/receipts/1"),
    ]
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=PATHS,
    text=st.one_of(
        st.lists(PIECES, max_size=14).map("".join),
        st.text(max_size=30).map(quote),
        st.binary(max_size=20).map(quote),
    ),
)
def test_no_query_makes_the_server_fail(unlimited, path, text):
    answer = unlimited.get(f"{path}?{text}")
    assert answer.status_code in (200, 400, 404)
    assert isinstance(answer.json(), dict)
    if answer.status_code == 400:
        assert answer.json()["error"] == "invalid_parameter"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(raw=st.binary(max_size=60))
def test_no_path_makes_the_server_fail(unlimited, raw):
    answer = unlimited.get("/receipts/" + quote(raw, safe="/"))
    assert answer.status_code in (200, 400, 404)
    assert answer.json()["success"] in (True, False)
