"""Faults that meet writes: rows that come and go while a client pages, and writes that fail."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from clopos_nb.sandbox.faults import KINDS


@pytest.fixture
def faults(sandbox):
    return sandbox.faults.add


def get(api, path="/receipts", **kw):
    return api.get(path, **kw)


def ids(answer):
    return [row["id"] for row in answer.json()["data"]]


def total(api):
    return get(api, "/receipts?limit=1&page=1000").json()["total"]


def test_rows_inserted_while_paging_move_rows_down(api, faults):
    before = total(api)
    first = ids(get(api, "/receipts?limit=5"))
    faults("rows_inserted", rows=2, count=1)
    assert ids(get(api, "/receipts?limit=5")) == first
    assert ids(get(api, "/receipts?limit=5&page=2"))[:2] == first[3:]
    assert total(api) == before + 2


def test_rows_edited_while_paging_change_what_was_read(api, faults):
    first = get(api, "/receipts?limit=5").json()["data"][0]
    faults("rows_edited", count=1)
    assert get(api, "/receipts?limit=5").json()["data"][0] == first
    again = get(api, f"/receipts/{first['id']}").json()["data"]
    assert again["total"] != first["total"]


def test_rows_deleted_while_paging_hide_a_row(api, faults):
    before = total(api)
    both = ids(get(api, "/receipts?limit=10"))
    faults("rows_deleted", count=1)
    assert ids(get(api, "/receipts?limit=5")) == both[:5]
    assert ids(get(api, "/receipts?limit=5&page=2"))[:4] == both[6:]
    assert get(api, f"/receipts/{both[0]}").status_code == 404
    assert total(api) == before - 1


@pytest.mark.parametrize("name", ["rows_inserted", "rows_edited", "rows_deleted"])
def test_pages_of_other_rows_change_no_receipts(name, api, faults):
    fault = faults(name, path="*")
    # Of which many have the number of a receipt, and some a UUID.
    for path in ("/orders", "/products", "/finance/cash-shifts"):
        assert get(api, path).status_code == 200
    assert fault.fired == 0


@pytest.mark.parametrize("name", ["server_error", "html_error", "reset_before_body"])
@pytest.mark.parametrize("processed", [False, True])
def test_a_failed_write_may_have_taken_effect_or_not(name, processed, api, faults, sandbox):
    def count():
        return len(sandbox.books.rows("customers", sandbox.books.venue_ids[0]))

    before = count()
    faults(name, method="POST", path="/customers", processed=processed)
    token = {"x-token": api.token}
    body = {"name": f"New {name} {processed}"}
    try:
        status = requests.post(
            f"{sandbox.url}/customers", json=body, headers=token, timeout=10
        ).status_code
    except requests.ConnectionError:
        status = 0
    assert status in (0, 500, 502)
    assert count() == before + processed


def test_every_fault_of_the_catalogue_is_tested():
    here = Path(__file__)
    text = here.read_text() + here.with_name("test_faults_wire.py").read_text()
    assert [name for name in KINDS if f'"{name}"' not in text] == []
