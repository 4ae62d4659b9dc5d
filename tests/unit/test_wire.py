"""The API's grammar: queries out, envelopes and refusals in."""

# ruff: noqa: E501  # the table of refusals reads best a line each

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clopos_nb import errors
from clopos_nb.refusals import redact
from clopos_nb.wire import MOST_PARTS, Answer, Envelope, brackets, list_query, read_answer


def opened(body: object, status: int = 200, path: str = "/things", **more: object):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = read_answer(status, raw, path=path, **more)
    if not isinstance(answer, Answer):
        raise answer
    return answer


# ---------------------------------------------------------------------------- queries


def test_a_page_of_receipts_is_asked_for_as_documented():
    query = list_query(
        page=2,
        limit=200,
        sort=("created_at", 1),
        days=(dt.date(2026, 1, 1), dt.date(2026, 1, 31)),
        relations=["receipt_products"],
        filters={"status": 2, "giftable": True, "type": ["GOODS", "DISH"]},
    )
    assert query == [
        ("page", "2"),
        ("limit", "200"),
        ("sort[0]", "created_at"),
        ("sort[1]", "1"),
        ("date[0]", "2026-01-01"),
        ("date[1]", "2026-01-31"),
        ("with[0]", "receipt_products"),
        ("filters[0][0]", "status"),
        ("filters[0][1]", "2"),
        ("filters[1][0]", "giftable"),
        ("filters[1][1]", "1"),
        ("filters[2][0]", "type"),
        ("filters[2][1][0]", "GOODS"),
        ("filters[2][1][1]", "DISH"),
    ]


@given(st.dictionaries(st.text("abc_", min_size=1), st.text() | st.integers() | st.none()))
def test_plain_parameters_come_through_url_encoding_unchanged(params):
    sent = {key: str(value) for key, value in params.items() if value is not None}
    assert dict(parse_qsl(urlencode(brackets(params)), keep_blank_values=True)) == sent


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        (None, {}),
        (True, {"k": "true"}),
        (False, {"k": "false"}),
        (0, {"k": "0"}),
        ("", {"k": ""}),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 6), {"k": "2026-01-02 03:04:05"}),
        (dt.date(2026, 1, 2), {"k": "2026-01-02"}),
        (np.int64(7), {"k": "7"}),
        (np.bool_(False), {"k": "false"}),
        (np.array([7, 8]), {"k[0]": "7", "k[1]": "8"}),
        (range(2), {"k[0]": "0", "k[1]": "1"}),
        ({7}, {"k[0]": "7"}),
        (frozenset({7}), {"k[0]": "7"}),
        ((7, [8]), {"k[0]": "7", "k[1][0]": "8"}),
        ({"a": {"b": 1}, "c": None}, {"k[a][b]": "1"}),
    ],
)
def test_each_kind_of_value_has_its_spelling(value, spelled):
    assert dict(brackets({"k": value})) == spelled


def test_what_is_not_asked_for_is_not_in_a_query():
    day = dt.date(2026, 1, 1)
    assert list_query() == list_query(relations=[], filters={}) == []
    assert list_query(days=(day, None)) == list_query(days=(None, day)) == []


@pytest.mark.parametrize("values", [[True, 2], (True, 2), range(1, 3)])
def test_yes_in_a_list_of_a_filter_is_1_too(values):
    assert [text for _, text in list_query(filters={"f": values})] == ["f", "1", "2"]


# -------------------------------------------------------------------------- envelopes


@pytest.mark.parametrize(
    ("body", "total"),
    [
        ({"success": True, "data": [{"id": 1}], "total": 196}, 196),
        ({"data": [{"id": 1}]}, None),
        ({"data": [{"id": 1}], "pagination": {"page": 1, "total": 7}}, 7),
        ({"success": True, "data": [{"id": 1}], "total": "12"}, 12),
        ([{"id": 1}], None),
    ],
)
def test_every_documented_envelope_is_read(body, total):
    answer = opened(body)
    assert (answer.rows(), answer.total) == ([{"id": 1}], total)


@pytest.mark.parametrize(
    ("said", "total"),
    [
        ({"total": 0}, 0),
        ({"total": 3, "pagination": {"total": 7}}, 3),
        ({"pagination": [7]}, None),
        ({"pagination": {"page": 1}}, None),
        ({"total": True}, None),
        ({"total": 7.0}, None),
        ({"total": "-7"}, None),
        ({"total": "9" * 14}, 99_999_999_999_999),
        ({"total": "9" * 15}, None),
        ({"total": 10**15 - 1}, 10**15 - 1),
        ({"total": 10**15}, None),
        ({"total": -(10**15)}, None),
    ],
)
def test_a_total_is_a_number_that_a_list_can_have(said, total):
    assert opened({"data": [], **said}).total == total


def test_numbers_with_a_point_are_exact_where_that_is_asked_for():
    answer = opened(b'{"data": [{"sum": 0.1}]}')
    assert type(answer.rows()[0]["sum"]) is type(answer.data()[0]["sum"]) is float
    assert (
        answer.rows(exact=True)
        == answer.data(exact=True)
        == [{"sum": Decimal("0.1")}]
        != answer.rows()
    )


def test_an_answer_says_what_the_envelope_said():
    body = {"data": {"id": 1}, "sorts": ["id", 5, "name"], "message": "done"}
    answer = opened(body, 201, "/users/1", venue_id=3)
    assert (answer.status, answer.where, answer.is_object) == (201, "/users/1 for venue 3", True)
    assert (answer.sorts, answer.message) == (("id", "name"), "done")
    answer = opened({"data": [], "sorts": "id", "message": 5})
    assert (answer.is_object, answer.sorts, answer.message) == (False, (), "")


def test_a_reader_that_can_read_an_answer_gives_its_rows_and_else_its_bytes_are_kept():
    whole = msgspec.json.Decoder(Envelope).decode

    def reader(body: bytes) -> Envelope | None:
        envelope = whole(body)
        envelope.data = msgspec.json.decode(envelope.data)
        return envelope if isinstance(envelope.data, list) else None

    answer = opened({"data": [5, 6], "total": 2}, reader=reader)
    assert (answer.items, answer.raw, answer.total) == ([5, 6], b"", 2)
    answer = opened({"data": {"id": 1}, "message": "one"}, reader=reader)
    assert (answer.items, answer.data(), answer.message) == (None, {"id": 1}, "one")


def test_a_bare_list_is_an_answer_whatever_is_before_it():
    answer = opened(b' \n[{"id": 1}]', 201, "/users", venue_id=3)
    assert (answer.rows(), answer.status) == ([{"id": 1}], 201)
    assert answer.where == "/users for venue 3"


def test_a_bare_list_with_a_status_of_refusal_is_no_answer():
    with pytest.raises(errors.ResponseError):
        opened(b"[]", 400)


def test_an_answer_that_only_says_success_is_one():
    answer = opened({"success": True, "message": "called"}, 202, "/call", venue_id=3)
    assert (answer.data(), answer.message) == (None, "called")
    assert (answer.status, answer.where) == (202, "/call for venue 3")


@pytest.mark.parametrize("said", [{"success": 1}, {"success": None}, {}])
def test_an_answer_with_neither_data_nor_success_is_none(said):
    with pytest.raises(errors.ResponseError, match="/users for venue 3 has no data"):
        opened(said, path="/users", venue_id=3)


@pytest.mark.parametrize("no", [False, 0, ""])
def test_an_answer_that_denies_success_is_refused_though_it_has_data(no):
    with pytest.raises(errors.ApiError):
        opened({"success": no, "data": []})


def test_a_status_of_refusal_is_believed_though_there_is_data():
    with pytest.raises(errors.BadRequest):
        opened({"data": []}, 400)


@pytest.mark.parametrize("part", [b"[]", b"{}"])
def test_an_answer_of_more_parts_than_memory_is_good_for_is_not_read(part):
    # The outer list and the envelope are two.
    most = b'{"data": [' + b",".join([part] * (MOST_PARTS - 2)) + b"]}"
    assert isinstance(read_answer(200, most, path="/users"), Answer)
    more = b'{"data": [' + b",".join([part] * (MOST_PARTS - 1)) + b"]}"
    with pytest.raises(errors.AnswerTooLarge, match="/users for venue 3"):
        opened(more, path="/users", venue_id=3)


@pytest.mark.parametrize("body", [b'{"data": 5}', b'{"data": [[1]]}', b'{"data": [{"a": 1}, 2]}'])
def test_rows_that_are_none_are_told_with_whose_they_were(body):
    with pytest.raises(errors.ResponseError, match="/users for venue 3"):
        opened(body, path="/users", venue_id=3).rows()


def test_data_that_turns_out_unreadable_is_told_with_whose_it_was():
    answer = opened(b'{"data": [1e99999999999999999999]}', path="/users", venue_id=3)
    with pytest.raises(errors.ResponseError, match="/users for venue 3"):
        answer.data(exact=True)


@pytest.mark.parametrize(
    ("body", "what"),
    [(b" <html>", "an HTML page"), (b" ", "empty"), (b'{"data"', "JSON that breaks off")],
)
def test_an_unreadable_answer_is_described(body, what):
    with pytest.raises(errors.ResponseError, match=what) as caught:
        opened(body, 404, "/users", venue_id=3)
    assert "/users for venue 3 (HTTP 404)" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (401, errors.TokenRejected),
        (429, errors.RateLimited),
        (500, errors.ServerError),
        (499, errors.ResponseError),
    ],
)
def test_an_unreadable_refusal_is_known_by_its_status(status, name):
    answer = read_answer(status, b"<html>", path="/users", venue_id=3, retry_after=2.5)
    assert type(answer) is name
    if isinstance(answer, errors.ApiError):
        assert (answer.status, answer.path, answer.venue_id) == (status, "/users", 3)
    if isinstance(answer, errors.RateLimited):
        assert answer.retry_after == 2.5


def test_a_429_that_can_be_read_keeps_what_it_asked_to_wait():
    with pytest.raises(errors.RateLimited) as caught:
        opened({"success": False}, 429, retry_after=2.5)
    assert caught.value.retry_after == 2.5


def test_an_empty_map_or_null_is_no_rows():
    assert opened({"data": None}).rows() == opened({"data": {}}).rows() == []


def test_a_token_is_read_from_the_top_level():
    answer = opened({"success": True, "token": "abc", "expires_in": 5}, path="/auth")
    assert answer.token == {"token": "abc", "expires_in": 5, "expires_at": None}
    assert (answer.status, answer.where, answer.data()) == (200, "/auth", None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html>hello</html>", 200),
        (b'{"success": true, "data": [{"id": 1', 200),
        (b"[1, 2", 200),
        (b'{"data": "text"}', 200),
        (b'{"data": [1, 2]}', 200),
        (b"{}", 200),
        (b"5", 200),
        (b"\xff\xfe", 200),
        (b"<html>not found</html>", 404),
    ],
)
def test_what_cannot_be_read_is_a_response_error(body, status):
    with pytest.raises(errors.ResponseError):
        opened(body, status).rows()


@given(st.binary(max_size=60), st.sampled_from([200, 201, 400, 401, 404, 429, 500]))
def test_no_bytes_end_in_anything_but_rows_or_an_error_of_ours(body, status):
    try:
        opened(body, status).rows()
    except errors.CloposError:
        return
    assert status < 400


# --------------------------------------------------------------------------- refusals

E3 = [{"message": "No query results for model [App\\Models\\X] 9", "http_code": 404}]


@pytest.mark.parametrize(
    ("status", "body", "path", "expected"),
    [
        (200, {"success": False, "error": "Integrator is in test mode. But brand is not in test mode"}, "/auth", errors.TestModeMismatch),
        (401, {"success": False, "error": "Integrator is in test mode. But"}, "/x", errors.TestModeMismatch),
        (400, {"success": False, "error": "Invalid integrator_id"}, "/auth", errors.UnknownIntegrator),
        (401, {"success": False, "error": "Invalid integrator_id"}, "/x", errors.UnknownIntegrator),
        (403, {"success": False, "error": "Client is disabled"}, "/auth", errors.ClientDisabled),
        (401, {"success": False, "message": "no"}, "/auth", errors.CredentialsRefused),
        (401, {"success": False, "error": "authentication_failed"}, "/auth", errors.CredentialsRefused),
        (401, {"success": False, "error": "Token expired", "expires_at": "2026-01-01T00:00:00Z"}, "/x", errors.TokenRejected),
        (401, {"success": False, "error": "unauthorized"}, "/x", errors.TokenRejected),
        (200, {"success": False, "error": "unauthorized"}, "/x", errors.TokenRejected),
        (404, {"success": False, "error": "not_found", "message": "Receipt not found"}, "/x", errors.NotFound),
        (404, {"success": False, "error": E3}, "/x", errors.NotFound),
        (200, {"success": False, "error": E3}, "/x", errors.NotFound),
        (200, {"success": False, "error": E3[0]}, "/x", errors.NotFound),
        (400, {"success": False, "error": "invalid_parameter"}, "/x", errors.BadRequest),
        (400, {"success": False, "error": "The name field is required.", "message": "Validation failed"}, "/x", errors.BadRequest),
        (403, {"success": False, "message": "brand does not have access to module call_center"}, "/x", errors.ModuleUnavailable),
        (403, {"error": "x", "message": "y", "details": {}}, "/x", errors.PermissionDenied),
        (409, {"success": False, "error": "duplicate_phone"}, "/x", errors.Conflict),
        (429, {"success": False, "error": "rate_limited"}, "/x", errors.RateLimited),
        (429, b"<html>", "/x", errors.RateLimited),
        (500, {}, "/x", errors.ServerError),
        (502, b"<html>bad gateway</html>", "/x", errors.ServerError),
        (504, b"", "/x", errors.UpstreamTimeout),
        (418, {}, "/x", errors.ApiError),
        (400, {"success": False, "error": None, "message": 7}, "/x", errors.BadRequest),
    ],
)  # fmt: skip
def test_each_refusal_has_its_name(status, body, path, expected):
    with pytest.raises(errors.CloposError) as caught:
        opened(body, status, path)
    assert type(caught.value) is expected


def test_a_refusal_says_where_and_what_to_do_and_holds_its_data():
    with pytest.raises(errors.NotFound) as caught:
        opened(
            {"success": False, "error": "not_found", "message": "Receipt not found"},
            404,
            "/receipts/9",
            venue_id=3,
        )
    error = caught.value
    assert (error.status, error.code, error.message) == (404, "not_found", "Receipt not found")
    assert (error.path, error.venue_id) == ("/receipts/9", 3)
    assert "Receipt not found" in str(error)
    assert "another venue" in str(error)


def test_a_message_that_is_not_documented_stays_out_of_the_text():
    body = {"success": False, "error": "oops", "message": "Elm Street 5, Ali, +994 50 000 00 01"}
    with pytest.raises(errors.BadRequest) as caught:
        opened(body, 400, sent=["Elm Street 5"])
    assert "Elm" not in str(caught.value)
    assert caught.value.message == "***, Ali, ***"


@given(digits=st.from_regex(r"\+994 ?50 ?[0-9]{3} ?[0-9]{2} ?[0-9]{2}", fullmatch=True))
def test_phone_numbers_are_masked(digits):
    assert digits not in redact(f"no customer with {digits} here")
