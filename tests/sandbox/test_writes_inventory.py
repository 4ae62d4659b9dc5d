"""The inventory and finance reads over rows of the sandbox's own making."""

from __future__ import annotations

from test_openapi import fits

from clopos_nb.sandbox import openapi
from clopos_nb.sandbox.routes import INVENTORY


def test_every_inventory_read_fits_the_description(api):
    description = openapi.describe()
    for path in INVENTORY:
        if "{id}" in path:
            continue
        answer = api.get(f"/{path}")
        fits(description, answer, f"/{path}")
        data = answer.json()["data"]
        rows = data if isinstance(data, list) else [data]
        assert rows, path
        assert all("_sandbox" in row for row in rows), path


def test_single_objects_are_found_by_the_id_of_their_list(api):
    description = openapi.describe()
    for path in INVENTORY:
        if not path.endswith("{id}"):
            continue
        row = api.data("/" + path.removesuffix("/{id}") + "?limit=1")[0]
        answer = api.get("/" + path.replace("{id}", str(row["id"])))
        fits(description, answer, f"/{path}")
        assert answer.json()["data"]["id"] == row["id"], path


def test_lists_below_an_object_belong_to_it(api):
    operation = api.data("/operations?limit=1")[0]
    items = api.data(f"/operations/{operation['id']}/items")
    assert {item["operation_id"] for item in items} == {operation["id"]}
    assert api.get("/operations/987654321/items").status_code == 404
    shift = api.data("/finance/cash-shifts?limit=1")[0]
    assert api.get(f"/finance/cash-shifts/{shift['id']}/report").status_code == 200


def test_they_page_and_sort_like_other_lists(api):
    whole = api.get("/stock-operations?limit=50").json()
    assert "total" in whole
    first = api.data("/stock-operations?limit=2&sort[0]=id&sort[1]=1")
    second = api.data("/stock-operations?limit=2&page=2&sort[0]=id&sort[1]=1")
    ids = [row["id"] for row in first + second]
    assert ids == sorted(ids)
    assert len(set(ids)) == 4
    assert api.get("/stock?sort[0]=nonsense").status_code == 400
