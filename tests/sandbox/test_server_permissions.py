"""Scopes, abilities and modules: all granted at first, and each taken away by name."""

from __future__ import annotations

import pytest

from clopos_nb.sandbox.permissions import ABILITIES, SCOPES, Permissions
from clopos_nb.sandbox.routes import INVENTORY

SHIFT = "00000000-0000-4000-8000-000000000000"


def concrete(path):
    return "/" + path.replace("{id}", SHIFT if "cash-shifts" in path else "1")


def refused(answer, word):
    assert answer.status_code == 403, answer.text
    body = answer.json()
    assert (body["success"], body["error"]) == (False, "forbidden")
    assert word in body["message"]
    return True


@pytest.mark.parametrize("path", INVENTORY)
def test_every_inventory_path_needs_its_scope_and_its_ability(api, path):
    need = INVENTORY[path]
    permissions = api.sandbox.permissions
    permissions.revoke(need.scope)
    assert refused(api.get(concrete(path)), need.scope)
    permissions.restore()
    permissions.revoke(need.ability)
    assert refused(api.get(concrete(path)), need.ability)
    permissions.grant(need.ability)
    assert api.get(concrete(path)).status_code in (200, 404, 501)


def test_every_scope_and_ability_is_asked_for_somewhere():
    needs = set(INVENTORY.values())
    assert {need.scope for need in needs} | {"receipts:read"} == set(SCOPES)
    assert {need.ability for need in needs} | {"RECEIPT_VIEW"} == set(ABILITIES)


def test_receipt_by_cid_needs_both_and_stock_operations_the_scope(api):
    row = api.data("/receipts?limit=1")[0]
    by_cid, stock = f"/receipts/cid/{row['cid']}", f"/receipts/{row['id']}/stock-operations"
    api.sandbox.permissions.revoke("RECEIPT_VIEW")
    assert refused(api.get(by_cid), "RECEIPT_VIEW")
    assert api.get(stock).status_code == 200
    api.sandbox.permissions.revoke("receipts:read")
    assert refused(api.get(stock), "receipts:read")
    assert api.get("/receipts?limit=1").status_code == 200


def test_a_scope_can_be_one_integrators(api):
    permissions = api.sandbox.permissions
    permissions.revoke("receipts:read", integrator_id="somebody else")
    row = api.data("/receipts?limit=1")[0]
    assert api.get(f"/receipts/{row['id']}/stock-operations").status_code == 200
    permissions.revoke("receipts:read", integrator_id=api.sandbox.credentials["integrator_id"])
    assert api.get(f"/receipts/{row['id']}/stock-operations").status_code == 403


def test_a_module_can_be_one_venues(api):
    api.sandbox.permissions.switch_off("cash_shift", venue_id=2)
    assert api.get("/finance/cash-shifts", venue=1).status_code in (200, 501)
    assert refused(api.get("/finance/cash-shifts", venue=2), "cash_shift")
    api.sandbox.permissions.switch_on("cash_shift", venue_id=2)
    assert api.get("/finance/cash-shifts", venue=2).status_code in (200, 501)


def test_a_missing_module_has_the_live_text_in_the_live_shape(make_api):
    api = make_api(fidelity={"live_errors"})
    api.sandbox.permissions.switch_off("cash_shift")
    answer = api.get("/finance/cash-shifts")
    assert answer.status_code == 403
    problem = answer.json()["error"][0]
    assert "does not have access to module cash_shift" in problem["message"]
    assert problem["http_code"] == 403


def test_cash_shift_ids_are_uuids(api):
    for path in ("/finance/cash-shifts/1", "/finance/cash-shifts/1/report"):
        answer = api.get(path)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_parameter"


def test_other_inventory_ids_are_integers(api):
    for path in ("/stock/x", "/operations/x/items", "/finance/taxes/x"):
        assert api.get(path).status_code == 400, path


def test_unknown_names_are_refused_with_all_there_are():
    with pytest.raises(ValueError, match="stock:read"):
        Permissions().revoke("stock:write")
    with pytest.raises(ValueError, match="call_center"):
        Permissions().switch_off("callcenter")


def test_writes_to_reads_are_405_with_the_methods(api):
    url = api.sandbox.url
    headers = {"x-token": api.token}
    answer = api.http.post(f"{url}/stock", headers=headers, json={}, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    answer = api.http.delete(f"{url}/orders/1", headers=headers, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT")
