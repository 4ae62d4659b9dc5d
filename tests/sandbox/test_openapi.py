"""The description is valid and current, and everything the sandbox answers fits it exactly."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import jsonschema
import pytest
import requests
from openapi_spec_validator import validate
from writing import send

from clopos_nb.sandbox import openapi
from clopos_nb.sandbox.facts import facts
from clopos_nb.sandbox.fidelity import SWITCHES
from clopos_nb.sandbox.resources import RESOURCES
from clopos_nb.sandbox.routes import find_route, listing

WRITTEN = Path(__file__).parents[2] / "docs" / "openapi.json"
SETTINGS = [(), *[(name,) for name in sorted(SWITCHES)], tuple(sorted(SWITCHES))]
PATHS = {resource.name: "/" + "/".join(resource.path) for resource in RESOURCES}
TYPES = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def validator(description, method, path, status):
    operation = description["paths"][path][method]
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    components = {"components": description["components"]}
    return jsonschema.Draft202012Validator({**schema, **components})


def fits(description, answer, path, method="get"):
    found = validator(description, method, path, answer.status_code)
    error = jsonschema.exceptions.best_match(found.iter_errors(answer.json()))
    assert error is None, f"{method} {path} {error.json_path}: {error.message[:300]}"


def every_relation(operation):
    named = [p for p in operation.get("parameters", []) if p.get("name") == "with[]"]
    return named[0]["schema"]["items"]["enum"] if named else []


@pytest.mark.parametrize("fidelity", SETTINGS)
def test_the_description_is_openapi_3_1(fidelity):
    validate(openapi.describe(fidelity))


def test_the_written_description_is_current():
    assert json.loads(WRITTEN.read_text()) == openapi.describe(), (
        "python -m clopos_nb.sandbox.openapi > docs/openapi.json"
    )


def test_it_is_served_without_a_token_and_follows_the_switches(api):
    root = api.sandbox.url.removesuffix("/open-api/v2")
    for url in (root, api.sandbox.url):
        answer = requests.get(f"{url}/openapi.json", timeout=10)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == openapi.describe()
    api.sandbox.fidelity.add("legacy_fields")
    served = requests.get(f"{root}/openapi.json", timeout=10).json()
    assert "pin" in served["components"]["schemas"]["User"]["properties"]
    assert requests.post(f"{root}/openapi.json", timeout=10).status_code == 405


def test_it_describes_every_endpoint_and_no_other():
    described = {
        (path, method.upper())
        for path, item in openapi.describe()["paths"].items()
        for method in item
    }
    served = {(path, method) for methods, path in listing() for method in methods.split()}
    assert described == served
    for path, _ in described - {("/auth", "POST")}:
        assert find_route(path) is not None, path


@pytest.mark.parametrize("fidelity", SETTINGS, ids=lambda names: "+".join(names) or "documented")
def test_every_read_fits_the_description_and_holds_nothing_else(make_api, fidelity):
    api = make_api(fidelity=fidelity)
    description = openapi.describe(fidelity, closed=True)
    for name, path in PATHS.items():
        relations = every_relation(description["paths"][path]["get"])
        # Columns of a relation leave the others out, so they are asked for in a test of their own.
        whole = [("with[]", relation) for relation in relations if ":" not in relation]
        for pairs in ([("limit", "60")], [("limit", "60"), *whole]):
            fits(description, api.get(f"{path}?{urlencode(pairs)}"), path)
        if f"{path}/{{id}}" not in description["paths"]:
            continue
        body = api.get(f"{path}?limit=5").json()
        relations = every_relation(description["paths"][f"{path}/{{id}}"]["get"])
        whole = [("with[]", relation) for relation in relations if ":" not in relation]
        for row in body["data"]:
            fits(description, api.get(f"{path}/{row['id']}?{urlencode(whole)}"), f"{path}/{{id}}")
        fits(description, api.get(f"{path}/987654321"), f"{path}/{{id}}")
        assert name
    receipt = api.data("/receipts?limit=1&filters[0][0]=status&filters[0][1]=2")[0]
    fits(description, api.get(f"/receipts/cid/{receipt['cid']}"), "/receipts/cid/{cid}")
    stock = "/receipts/{id}/stock-operations"
    fits(description, api.get(stock.replace("{id}", str(receipt["id"]))), stock)
    fits(description, api.get("/orders", headers={}), "/orders")
    fits(description, api.get("/products?limit=0"), "/products")
    fits(description, api.get("/products?limit=9&selects=price"), "/products")
    columns = "/orders?limit=20&with[]=receipt:id,service_notification_id,status"
    fits(description, api.get(columns), "/orders")
    answer = api.auth()
    fits(description, answer, "/auth", "post")
    fits(description, api.auth(integrator_id=api.sandbox.test_integrator_id), "/auth", "post")


def test_refused_writes_fit_the_description(api):
    description = openapi.describe()
    for methods, path in listing():
        for method in set(methods.split()) - {"GET"}:
            answer = send(api, method, path.replace("{id}", "1"), {"x": 1})
            assert answer.status_code >= 400
            fits(description, answer, path, method.lower())


def every_row(api, name):
    if name == "stock_operations":
        ids = [
            row["id"] for row in api.data("/receipts?limit=20&filters[0][0]=status&filters[0][1]=2")
        ]
        return [row for id in ids for row in api.data(f"/receipts/{id}/stock-operations")]
    path = PATHS[name]
    resource = next(r for r in RESOURCES if r.name == name)
    listed = resource.allowed_relations(single=False, legacy=True)
    query = urlencode([("limit", "100"), *[("with[]", relation) for relation in listed]])
    rows = api.data(f"{path}?{query}")
    if name == "products":
        # A timer's setting and the media of a product come by id.
        query = urlencode([("with[]", relation) for relation in listed])
        timers = api.data(f"{path}?filters[0][0]=type&filters[0][1]=TIMER")
        rows += [api.data(f"{path}/{row['id']}?{query}") for row in timers]
    return rows


def walk(fact, value, path, seen):
    """Check a value and everything below it, and note which facts were met."""
    seen.add(path)
    if value is None:
        assert fact.get("nullable"), f"{path} is null"
        return
    kind = fact.get("accept") or fact["type"]
    if kind == "object" and value == [] and (fact.get("empty_list") or fact.get("map")):
        return
    assert isinstance(value, TYPES[kind]), (path, kind, value)
    assert not (isinstance(value, bool) and kind in ("integer", "number")), path
    if kind == "array" and "items" in fact:
        for item in value:
            walk(fact["items"], item, f"{path}[]", seen)
    elif kind == "object" and value:
        for name, inner in fact.get("fields", {}).items():
            if name in value:
                walk(inner, value[name], f"{path}.{name}", seen)
            else:
                gone = inner.get("optional") or inner.get("with") or inner.get("legacy")
                assert gone, f"{path}.{name} is missing"


def paths_of(fact, path):
    yield path
    if "items" in fact:
        yield from paths_of(fact["items"], f"{path}[]")
    for name, inner in fact.get("fields", {}).items():
        yield from paths_of(inner, f"{path}.{name}")


@pytest.mark.parametrize("name", [*PATHS, "stock_operations"])
def test_every_fact_is_served_with_the_documented_type(make_api, name):
    api = make_api(fidelity={"legacy_fields"})
    rows = every_row(api, name)
    assert rows
    seen: set[str] = set()
    for row in rows:
        walk({"type": "object", "fields": facts()[name]}, row, name, seen)
    known = {p for field, fact in facts()[name].items() for p in paths_of(fact, f"{name}.{field}")}
    assert known - seen == set()
