"""The API's grammar: queries out, envelopes and refusals in."""

# ruff: noqa: E501  # the table of refusals reads best a line each

from __future__ import annotations

import datetime as dt
import json
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clopos_nb import errors
from clopos_nb.refusals import redact
from clopos_nb.wire import Answer, brackets, list_query, read_answer


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


def test_an_empty_map_or_null_is_no_rows():
    assert opened({"data": None}).rows() == opened({"data": {}}).rows() == []


def test_a_token_is_read_from_the_top_level():
    answer = opened({"success": True, "token": "abc", "expires_in": 5}, path="/auth")
    assert answer.token == {"token": "abc", "expires_in": 5, "expires_at": None}


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
