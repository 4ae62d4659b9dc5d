"""Each of the coexisting shapes by its name, alone, and switched while the sandbox runs."""

from __future__ import annotations

import pytest

from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.fidelity import SWITCHES, Fidelity

PAGED = ["/users", "/customers", "/categories", "/products", "/orders", "/receipts"]


def test_an_unknown_name_is_refused_with_all_the_names(brand):
    with pytest.raises(ValueError, match=r"'polite'.*live_errors.*no_success"):
        Sandbox(brand=brand, fidelity={"polite"})
    with pytest.raises(ValueError, match="live_error'"):
        Fidelity().add("live_error")


def test_legacy_is_short_for_two_switches(make_sandbox):
    assert set(make_sandbox(legacy=True).fidelity) == {"legacy_fields", "live_errors"}
    assert set(make_sandbox(legacy=True, fidelity=["no_success"]).fidelity) == {
        "legacy_fields",
        "live_errors",
        "no_success",
    }


def test_switches_work_while_it_runs(api):
    assert "pin" not in api.data("/users")[0]
    api.sandbox.fidelity.add("legacy_fields")
    assert "pin" in api.data("/users")[0]
    assert api.get("/users/987654321").json()["error"] == "resource_not_found"
    api.sandbox.fidelity = {"live_errors"}
    assert "pin" not in api.data("/users")[0]
    assert isinstance(api.get("/users/987654321").json()["error"], list)
    api.sandbox.fidelity.clear()
    assert api.get("/users/987654321").json()["error"] == "resource_not_found"


def test_every_switch_has_one_line(api):
    assert all(text and "\n" not in text for text in SWITCHES.values())
    for name in SWITCHES:
        api.sandbox.fidelity = {name}
        assert api.get("/receipts?limit=1").status_code == 200, name


def test_empty_maps_are_maps_unless_switched(api):
    def statuses():
        return [row["status"] for row in api.data("/payment-methods")]

    assert {} in statuses()
    assert [] not in statuses()
    api.sandbox.fidelity.add("empty_maps_as_lists")
    assert [] in statuses()
    assert {} not in statuses()


def test_empty_maps_of_orders_follow_the_switch(api):
    def products():
        orders = api.data("/orders?limit=100")
        lines = [line for order in orders for line in order["payload"]["products"]]
        return [line["meta"]["order_product"]["product"] for line in lines]

    assert [] not in products()
    api.sandbox.fidelity.add("empty_maps_as_lists")
    assert {} not in products()


@pytest.mark.parametrize("path", ["/price-lists", "/price-lists/prices"])
def test_no_success_prints_them_as_their_examples(make_api, path):
    api = make_api(fidelity={"no_success"})
    assert set(api.get(path).json()) == {"data", "pagination"}


@pytest.mark.parametrize("path", PAGED)
def test_pagination_everywhere(make_api, path):
    body = make_api(fidelity={"pagination_everywhere"}).get(f"{path}?limit=3&page=2").json()
    assert set(body) == {"success", "data", "pagination", "time", "timestamp", "unix"}
    assert body["pagination"]["page"] == 2
    assert body["pagination"]["per_page"] == 3


def test_no_diagnostics(make_api):
    api = make_api(fidelity={"no_diagnostics"})
    assert set(api.get("/orders?limit=1").json()) == {"success", "data", "total", "sorts"}


def test_unauthorized_slugs(make_api):
    api = make_api(fidelity={"unauthorized_slugs"})
    for headers, message in (
        ({}, "Missing authentication headers"),
        ({"x-token": "no"}, "Missing or invalid authentication headers"),
    ):
        answer = api.get("/orders", headers=headers)
        assert answer.status_code == 401
        assert answer.json() == {"success": False, "error": "unauthorized", "message": message}


def test_strict_limits_refuse_with_the_range(make_api):
    api = make_api(fidelity={"strict_limits"})
    answer = api.get("/products?limit=101")
    assert answer.status_code == 400
    assert answer.json()["details"] == {
        "parameter": "limit",
        "provided_value": 101,
        "valid_range": "1-100",
    }
    assert api.get("/products?limit=100").status_code == 200


def test_flat_recipe_is_the_table_of_its_page(make_api):
    api = make_api(fidelity={"flat_recipe"})
    products = api.data("/products?with[]=recipe&filters[0][0]=haveIngredients&filters[0][1]=1")
    items = [item for product in products for item in product["recipe"]]
    assert items
    assert {tuple(item) for item in items} == {("ingredient_id", "name", "gross", "net")}
    assert all(isinstance(item["gross"], str) for item in items)
