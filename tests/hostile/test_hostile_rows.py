"""Rows that are made to fill the memory, to end never, or to be run by whoever looks at them."""

from __future__ import annotations

import itertools
import json
import warnings

import pytest
from bad_server import answer, rows

import clopos_nb
from clopos_nb import errors

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
DAY = "2026-01-05"


def told(data: str, total: str = "1") -> bytes:
    return answer(b'{"success": true, "data": [%s], "total": %s}' % (data.encode(), total.encode()))


NUMBERS = ["1e400", "-0", "NaN", "Infinity", "9" * 30, "9" * 400, "9" * 4000, "9" * 5000,
           "1." + "9" * 5000, "1e-9999999", "1e9999999999", "1e99999999999999999999999",
           '"' + "9" * 5000 + '"', '"1e999999999"']  # fmt: skip


def outcome(ask) -> str:
    """Return that rows came, or the error of ours; nothing else may."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.IncompleteResultWarning)
        try:
            ask()
        except errors.CloposError as error:
            return type(error).__name__
    return "rows"


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:6] + str(len(text)))
def test_no_number_is_too_absurd(hostile, victim, number):
    venue = victim.venue(1)
    for field in ("id", "total", "status", "surprise", "created_at"):
        row = f'{{"{field}": {number}}}' if field == "id" else f'{{"id": 1, "{field}": {number}}}'
        hostile.on("/receipts", told(row))
        hostile.on("/stock", told(row))
        outcome(lambda: venue.frame("receipts", money="decimal", progress=False))
        outcome(lambda: venue.frame("receipts", progress=False))
        outcome(lambda: list(venue.rows("receipts")))
        outcome(lambda: victim.frame("/stock", progress=False))
    hostile.on("/users", told('{"id": 1}', number))
    outcome(lambda: victim.frame("users", progress=False))
    outcome(lambda: victim.estimate("users"))


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:6] + str(len(text)))
@pytest.mark.parametrize("field", ["expires_in", "expires_at"])
def test_no_life_of_a_token_is_too_absurd(hostile, victim, field, number):
    login = f'{{"success": true, "token": "eyJplanted.x.x", "{field}": {number}}}'
    hostile.on("/auth", answer(login.encode()))
    if outcome(victim.login) == "rows":
        assert victim.token is not None
        assert "minutes left" in victim._repr_html_()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:6] + str(len(text)))
def test_no_id_of_a_venue_is_too_absurd(hostile, victim, number):
    hostile.on("/venues", told(f'{{"id": {number}, "name": "a"}}'))
    hostile.on("/receipts", told('{"id": 1}'))
    outcome(lambda: victim.frame("receipts", progress=False))


@pytest.mark.parametrize("levels", [150, 900, 100_000])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")], ids=["list", "map"])
@pytest.mark.parametrize("field", ["surprise", "children", "id"])
def test_no_nesting_is_too_deep(hostile, victim, levels, opened, closed, field):
    deep = opened * levels + "1" + closed * levels
    for path in ("/categories", "/users", "/stock"):
        hostile.on(path, told(f'{{"id": 1, "{field}": {deep}}}'))
        outcome(lambda path=path: victim.frame(path.strip("/") if path != "/stock" else path))
        outcome(lambda path=path: victim.get(path))


def test_a_tree_without_a_ground_is_refused(hostile, victim):
    deep = '{"id": 1, "name": "a", "children": [' * 300 + "]}" * 300
    hostile.on("/categories", told(deep))
    assert outcome(lambda: victim.frame("categories", progress=False)) == "ResponseError"


@pytest.mark.parametrize(
    "row",
    [
        lambda n: {"id": n, f"name {n}": n},
        lambda n: {"id": n, "surprise": {f"name {n}": n}},
        lambda n: {"id": n, f"name {n % 900}": n},
    ],
    ids=["fields", "fields inside", "few fields and many rows"],
)
def test_fields_that_each_row_names_anew_do_not_multiply(hostile, victim, row):
    hostile.on("/users", answer(rows(*map(row, range(20_000)))))
    assert outcome(lambda: victim.frame("users", progress=False)) in ("rows", "ResponseError")


def test_text_that_is_none_has_a_name_and_text_that_is_some_is_kept(hostile, victim):
    for bad in (b'"\xff"', rb'"\ud800"', b'"a\x01b"', b'"a', b"\x00"):
        hostile.on("/users", answer(b'{"data": [{"id": 1, "email": ' + bad + b'}], "total": 1}'))
        assert outcome(lambda: victim.frame("users", progress=False)) == "ResponseError"
    hostile.on("/users", answer(b"\xef\xbb\xbf" + json.dumps(rows()).encode()))
    assert outcome(lambda: victim.frame("users", progress=False)) == "ResponseError"
    hostile.on("/users", told(r'{"id": 1, "email": "a\u0000b"}'))
    assert victim.frame("users", progress=False)["email"].tolist() == ["a\0b"]


def test_of_keys_that_come_twice_the_last_one_counts_both_ways(hostile, victim):
    twice = '{"id": 1, "id": 2, "email": "a", "email": "b"%s}'
    for more in ("", ', "surprise": 1, "surprise": 2'):
        hostile.on("/users", told(twice % more))
        frame = victim.frame("users", progress=False)
        assert frame[["id", "email"]].values.tolist() == [[2, "b"]]


# ----------------------------------------------------------------------------- without end


def page_after_page(hostile, make) -> None:
    pages = itertools.count()
    hostile.on("/users", *(answer(make(next(pages))) for _ in range(700)))


@pytest.mark.parametrize(
    "make",
    [
        lambda n: rows({"id": n}, total=n + 2),
        lambda n: rows({"email": str(n)}, total=n + 2),
        lambda n: rows({"id": 1}, total=10**9),
        lambda n: rows({"id": n % 2}, total=10**14),
        lambda n: rows(total=10**9),
    ],
    ids=["total grows", "total grows, no key", "one page", "two", "none"],
)
def test_pages_without_end_are_left_incomplete(hostile, victim, make):
    page_after_page(hostile, make)
    with pytest.warns(errors.IncompleteResultWarning):
        frame = victim.frame("users", progress=False)
    assert not frame.attrs["clopos"]["complete"]
    assert hostile.count("/users") < 500


# --------------------------------------------------------------------------------- scripts


def test_no_markup_of_a_server_is_markup_here(hostile, victim):
    hostile.on("/venues", answer(rows({"id": 1, "name": SCRIPT}, {"id": 2, "name": SCRIPT + "2"})))
    hostile.on("/users", answer(rows({"id": 1, "email": SCRIPT, SCRIPT: SCRIPT})))
    frame = victim.frame("users", progress=False)
    shown = [thing._repr_html_() for thing in (victim, victim.venues, victim.venue(1), frame)]
    shown += [victim.drift._repr_html_(), victim.doctor()._repr_html_()]
    explorer = victim.explore("users")
    explorer.load()
    explorer.wait()
    result = explorer.result
    shown += [explorer._status.value, result.badge.value, result.code.value, result.chart.value]
    hostile.on("/receipts", answer({"success": False, "error": SCRIPT, "message": SCRIPT}))
    failed = victim.explore("receipts", DAY)
    failed.load()
    failed.wait()
    assert failed.problem is not None
    shown += [failed._status.value, str(failed.problem)]
    for text in shown:
        assert "<script" not in text
        assert "<img" not in text


def test_a_venues_name_does_not_steer_a_terminal(hostile, victim):
    name = "\x1b]0;owned\x07\x1b[2J\r\nNizami\u202e"
    hostile.on("/venues", answer(rows({"id": 1, "name": name})))
    with pytest.raises(errors.VenueNotFound) as caught:
        victim.venue(99)
    assert str(caught.value).isprintable()
    assert isinstance(victim, clopos_nb.Session)
