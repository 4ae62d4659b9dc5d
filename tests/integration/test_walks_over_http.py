"""Lists that are clamped, cut, repeated, or change while they are read: right rows, or said so."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug import Request

from clopos_nb import IncompleteResult, IncompleteResultWarning
from clopos_nb.transport import WORKERS
from clopos_nb.walks import PASSES

Page = Callable[[int], list[int]]


class List:
    """A list of users behind a server, of which a test says what each page holds.

    ``ids`` may change between two pages; ``change`` maps the number of a request to what happens
    just before it is answered.
    """

    def __init__(self, count: int) -> None:
        self.ids = list(range(1, count + 1))
        self.size = 5
        self.with_total = True
        self.total: int | None = None
        self.asked = 0
        self.change: dict[int, Callable[[], None]] = {}
        self.page: Page = lambda number: self.ids[(number - 1) * self.size : number * self.size]

    def __call__(self, request: Request) -> dict[str, Any]:
        self.asked += 1
        self.change.get(self.asked, lambda: None)()
        body = {"success": True, "data": [{"id": n} for n in self.page(int(request.args["page"]))]}
        if self.with_total:
            body["total"] = len(self.ids) if self.total is None else self.total
        return body


@pytest.fixture
def users(faulty) -> List:
    users = List(13)
    faulty.on("/users", users)
    return users


def read(visitor: Any, **how: Any) -> list[int]:
    return visitor.frame("users", progress=False, **how)["id"].tolist()


# --------------------------------------------------------------------- right rows


def test_the_sandbox_clamps_and_all_products_come(fresh, open_session):
    frame = open_session(fresh).frame("products", progress=False)
    total = frame.attrs["clopos"]["total"]
    assert len(frame) == frame["id"].nunique() == total > 100
    assert frame.attrs["clopos"]["pages"] == 2


@pytest.mark.parametrize("clamp", [1, 3, 13, 1000])
def test_any_clamp_gives_all_rows(visitor, users, clamp):
    users.size = clamp
    assert read(visitor) == users.ids
    assert users.asked == -(-13 // clamp)


def test_a_short_page_is_not_the_end(visitor, users):
    pages = {1: [1, 2, 3, 4, 5], 2: [6], 3: [7, 8, 9, 10, 11], 4: [12, 13]}
    users.page = lambda number: pages.get(number, [])
    assert read(visitor) == users.ids


def test_a_page_that_comes_twice_adds_nothing(visitor, users):
    pages = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12, 13]]
    users.page = lambda number: pages[number - 1] if number <= 4 else []
    frame = visitor.frame("users", progress=False)
    assert frame["id"].tolist() == users.ids
    assert frame.attrs["clopos"]["duplicates"] == 5
    assert frame.attrs["clopos"]["complete"]


def test_pages_that_overlap_add_each_row_once(visitor, users):
    users.page = lambda number: users.ids[(number - 1) * 4 : (number - 1) * 4 + 5]
    assert read(visitor) == users.ids


def test_an_empty_list_is_complete_after_one_request(visitor, users):
    users.ids = []
    frame = visitor.frame("users", strict=True)
    assert len(frame) == 0
    assert users.asked == 1
    assert frame.attrs["clopos"]["complete"]


def test_rows_inserted_at_the_front_while_reading_cost_no_row(visitor, users):
    users.change = {2: lambda: users.ids.insert(0, 99)}
    assert sorted(read(visitor, strict=True)) == sorted(users.ids)


def test_rows_added_at_the_end_while_reading_come_too(visitor, users):
    users.change = {3: lambda: users.ids.extend([14, 15, 16])}
    assert read(visitor, strict=True) == users.ids


def test_a_row_added_while_a_page_is_late_costs_one_request_and_no_second_reading(
    faulty, visitor, users
):
    """Page 2 is answered after page 3, and knows of a row that page 3 did not."""
    third = threading.Event()

    def page(request: Request) -> dict[str, Any]:
        if request.args["page"] == "2":
            assert third.wait(10)
            users.ids.append(14)
        body = users(request)
        if request.args["page"] == "3":
            third.set()
        return body

    faulty.on("/users", page)
    frame = visitor.frame("users", progress=False, strict=True)
    assert frame["id"].tolist() == list(range(1, 15))
    assert (users.asked, frame.attrs["clopos"]["duplicates"]) == (4, 0)


def test_rows_deleted_while_reading_are_not_in_the_frame_and_no_other_is_missing(visitor, users):
    users.change = {2: lambda: users.ids.remove(3)}
    assert read(visitor, strict=True) == users.ids
    assert 3 not in users.ids


def test_a_total_that_shrinks_and_grows_again_is_walked_again(visitor, users):
    users.change = {2: lambda: users.ids.remove(2), 3: lambda: users.ids.append(14)}
    assert sorted(read(visitor, strict=True)) == users.ids


@pytest.mark.parametrize("place", ["total as text", "pagination"])
def test_a_total_is_found_wherever_the_documentation_puts_it(faulty, visitor, place):
    ids = list(range(1, 5))

    def page(request: Request) -> dict[str, Any]:
        number = int(request.args["page"])
        total = {"total": "4"} if place == "total as text" else {"pagination": {"total": 4}}
        return {"success": True, "data": [{"id": ids[number - 1]}], **total}

    faulty.on("/users", page)
    assert read(visitor, strict=True) == ids


# --------------------------------------------------------------------- or said so


def test_a_server_that_ignores_page_is_told_and_ends(visitor, users):
    users.page = lambda number: [1, 2, 3, 4, 5]
    with pytest.warns(IncompleteResultWarning, match="5 rows of the server's 13"):
        ids = read(visitor)
    assert ids == [1, 2, 3, 4, 5]
    assert users.asked < 20


def test_rows_that_never_come_are_told(visitor, users):
    users.page = lambda number: [n for n in users.ids[(number - 1) * 5 : number * 5] if n != 7]
    with pytest.warns(IncompleteResultWarning, match="12 rows of the server's 13"):
        ids = read(visitor)
    assert ids == [n for n in users.ids if n != 7]


def test_without_a_total_all_rows_come_and_completeness_is_not_claimed(visitor, users):
    users.with_total = False
    with pytest.warns(IncompleteResultWarning, match="13 rows of an unknown total"):
        ids = read(visitor)
    assert ids == users.ids


def test_more_rows_than_the_total_are_not_called_complete(visitor, users):
    users.total = 4
    with pytest.warns(IncompleteResultWarning):
        read(visitor)


def test_strict_raises_with_the_certificate(visitor, users):
    visitor.get("/venues")  # so that the login is not among the requests
    users.page = lambda number: [1, 2, 3, 4, 5]
    with pytest.raises(IncompleteResult, match="users: 5 rows of the server's 13") as caught:
        read(visitor, strict=True)
    certificate = caught.value.certificate
    assert (certificate["rows"], certificate["total"]) == (5, 13)
    assert certificate["complete"] is False
    assert certificate["requests"] == users.asked


def test_a_list_that_never_holds_still_ends(visitor, users):
    def shift() -> None:
        users.ids = [n + 100 for n in users.ids]

    users.total = 1000
    users.change = dict.fromkeys(range(2, 100), shift)
    with pytest.warns(IncompleteResultWarning):
        read(visitor)
    taken = 4  # pages in a pass: three of rows, and the empty one
    assert users.asked <= PASSES * (taken + 2 * WORKERS)  # so many ahead of what was taken


def test_a_list_that_shrinks_in_every_pass_is_not_called_complete(visitor, users):
    users.ids = list(range(1, 101))
    users.change = dict.fromkeys(range(2, 90), lambda: users.ids.pop(0))
    with pytest.warns(IncompleteResultWarning):
        read(visitor)


def test_rows_of_plain_dicts_are_told_too(visitor, users):
    users.page = lambda number: [1, 2, 3, 4, 5]
    with pytest.warns(IncompleteResultWarning, match="5 rows of the server's 13"):
        found = list(visitor.venue(1).rows("users"))
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]


def test_a_limit_is_not_news(visitor, users):
    assert read(visitor, limit=7, strict=True) == [1, 2, 3, 4, 5, 6, 7]
    assert users.asked == 2


@pytest.mark.parametrize("limit", [2, 20, 99, 100])
def test_pages_below_a_limit_are_asked_for_at_once_and_no_more_than_it_takes(
    faulty, visitor, limit
):
    """Each page but the first waits until as many are asked for as there can be."""
    pages = -(-limit // 5)
    met = threading.Barrier(min(pages - 1, WORKERS)) if pages > 1 else None
    users = List(1000)

    def page(request: Request) -> dict[str, Any]:
        if met is not None and 1 < int(request.args["page"]) <= 1 + met.parties:
            met.wait(10)
        return users(request)

    faulty.on("/users", page)
    assert read(visitor, limit=limit) == list(range(1, limit + 1))
    assert users.asked == pages


def test_a_limit_does_not_hide_that_rows_are_missing(visitor, users):
    users.page = lambda number: [1, 2, 3, 4, 5]
    with pytest.warns(IncompleteResultWarning, match="5 rows of the server's 13"):
        assert read(visitor, limit=10) == [1, 2, 3, 4, 5]
    with pytest.raises(IncompleteResult):
        read(visitor, limit=10, strict=True)


TWICE = """
import sys, clopos_nb
session = clopos_nb.Session(base_url=sys.argv[1], client_id="a", client_secret="b", brand="c",
                            integrator_id="d", cache_dir=False)
for whose in (session, session.venue(1)):
    for _ in range(2):
        whose.frame("users", progress=False)
        whose.frames(["users"], progress=False)
        list(whose.rows("users")) if whose is not session else session.venues.main
"""


def test_rows_missing_are_told_each_time_and_at_the_line_that_asked(faulty, users):
    users.page = lambda number: [1, 2, 3, 4, 5]
    done = subprocess.run(
        [sys.executable, "-c", TWICE, faulty.url], capture_output=True, text=True, check=True
    )
    told = re.findall(r"^<string>:(\d+): IncompleteResultWarning", done.stderr, re.MULTILINE)
    assert Counter(told) == {"7": 4, "8": 4, "9": 2}


def test_one_incomplete_venue_of_two_is_named(faulty, visitor, envelope):
    faulty.on(
        "/receipts",
        lambda request: envelope({"id": 1}, total=int(request.headers["x-venue"])),
    )
    with pytest.warns(IncompleteResultWarning, match="Sahil: 1 of 2"):
        frame = visitor.frame("receipts", "2026-01", progress=False)
    one, two = frame.attrs["clopos"]["venues"]
    assert (one["complete"], two["complete"]) == (True, False)
    assert frame.attrs["clopos"]["complete"] is False


# ------------------------------------------------------------- rows() of a walk


@pytest.mark.parametrize("limit", [1, 5, 7, 13, 100])
def test_rows_end_at_the_limit_and_ask_for_no_page_beyond_it(visitor, users, limit):
    got = [row["id"] for row in visitor.venue(1).rows("users", limit=limit)]
    assert got == users.ids[:limit]
    assert users.asked == -(-min(limit, 13) // users.size)


def test_rows_are_those_of_the_venue_that_was_asked_for(faulty, visitor, envelope):
    faulty.on("/users", lambda request: envelope({"id": int(request.headers["x-venue"])}, total=1))
    assert [[row["id"] for row in visitor.venue(n).rows("users")] for n in (1, 2)] == [[1], [2]]


def test_rows_ask_for_each_page_once_and_in_order(visitor, users):
    numbers: list[int] = []
    page = users.page
    users.page = lambda number: numbers.append(number) or page(number)
    assert [row["id"] for row in visitor.venue(1).rows("users")] == users.ids
    assert numbers == [1, 2, 3]
