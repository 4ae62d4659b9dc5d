"""Tokens: how they are given out, what they say, and every documented way to be refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import jwt
import pytest

MISSING = "Missing client_id, client_secret, brand, or integrator_id"
MISMATCH = "Integrator is in test mode. But brand is not in test mode"


def test_good_credentials_get_the_documented_body(api):
    answer = api.auth()
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"success", "token", "token_type", "expires_in", "expires_at", "message"}
    assert body["success"] is True
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert body["message"] == "Authentication successful"


def test_token_is_an_hs256_jwt_with_the_claims_of_the_sample(api, sandbox):
    body = api.auth().json()
    claims = jwt.decode(body["token"], options={"verify_signature": False})
    assert jwt.get_unverified_header(body["token"]) == {"alg": "HS256", "typ": "JWT"}
    assert set(claims) == {"token", "brand", "stage", "venue_id", "integrator_id", "iat", "exp"}
    assert claims["token"].startswith("oauth_")
    assert claims["brand"] == sandbox.credentials["brand"]
    assert claims["integrator_id"] == sandbox.credentials["integrator_id"]
    assert claims["venue_id"] == sandbox.brand.venue_ids[0]
    assert claims["exp"] == claims["iat"] + 3600 == body["expires_at"]


def test_token_lifetime_is_a_setting(make_api):
    assert make_api(token_lifetime_s=90).auth().json()["expires_in"] == 90


@pytest.mark.parametrize("field", ["client_id", "client_secret", "brand", "integrator_id"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"]])
def test_field_missing_or_not_a_string_is_400(api, field, value):
    answer = api.auth(**{field: value})
    assert answer.status_code == 400
    assert answer.json()["error"] == MISSING


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b'"x"'])
def test_body_that_is_no_json_object_is_400(api, sandbox, raw):
    headers = {"Content-Type": "application/json"}
    answer = api.http.post(f"{sandbox.url}/auth", data=raw, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"] == MISSING


def test_form_body_is_415_and_says_what_to_send(api, sandbox):
    answer = api.http.post(f"{sandbox.url}/auth", data=sandbox.credentials, timeout=10)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["message"]


def test_get_auth_is_405_and_says_what_is_allowed(api):
    answer = api.get("/auth")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_unknown_integrator_is_400(api):
    answer = api.auth(integrator_id="nobody")
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid integrator_id")


def test_deactivated_integrator_is_400(api, sandbox):
    answer = api.auth(integrator_id=sandbox.deactivated_integrator_id)
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid integrator_id")


@pytest.mark.parametrize("field", ["client_id", "client_secret", "brand"])
def test_wrong_credentials_are_401_with_a_message_only(api, field):
    answer = api.auth(**{field: "wrong"})
    assert answer.status_code == 401
    assert set(answer.json()) == {"success", "message"}
    assert answer.json()["success"] is False


def test_disabled_client_says_so(api, sandbox):
    answer = api.auth(client_id=sandbox.disabled_client_id)
    assert (answer.status_code, answer.json()["error"]) == (403, "Client is disabled")


def test_test_integrator_with_a_live_brand_is_200_and_no_success(api, sandbox):
    answer = api.auth(integrator_id=sandbox.test_integrator_id)
    assert answer.status_code == 200
    assert answer.json()["success"] is False
    assert answer.json()["error"] == MISMATCH
    assert "token" not in answer.json()


def test_live_integrator_with_a_test_brand_is_refused_too(api, sandbox):
    mixed = {**sandbox.test_credentials, "integrator_id": sandbox.credentials["integrator_id"]}
    answer = api.auth(**mixed)
    assert answer.status_code == 200
    assert answer.json()["success"] is False


def test_test_integrator_reads_the_test_brand(api, sandbox):
    token = api.auth(**sandbox.test_credentials).json()["token"]
    assert sandbox.test_credentials["brand"] == f"{sandbox.brand.slug}-test"
    assert api.data("/venues", headers={"x-token": token}) == api.data("/venues")


@pytest.mark.parametrize("name", ["Authorization", "x-brand", "token"])
def test_no_x_token_is_headers_are_missing(api, name):
    answer = api.get("/venues", headers={name: f"Bearer {api.token}"})
    assert (answer.status_code, answer.json()["error"]) == (401, "Headers are missing")


def test_foreign_or_broken_tokens_are_invalid(api, make_api):
    header, payload, signature = api.token.split(".")
    none_header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    foreign = make_api().token
    for token in (
        "x",
        "Bearer " + api.token,
        f"{header}.{payload}.AAAA",
        f"{none_header}.{payload}.",
        f"{header}.{payload}",
        foreign,
        jwt.encode({"exp": 1, "iat": 1}, "k" * 32, algorithm="HS256"),
    ):
        answer = api.get("/venues", headers={"x-token": token})
        assert (answer.status_code, answer.json()["error"]) == (401, "Invalid token"), token
    assert signature


def test_expired_token_says_when_in_iso_form(api, sandbox):
    expires_at = jwt.decode(api.token, options={"verify_signature": False})["exp"]
    sandbox.advance(3599)
    assert api.get("/venues").status_code == 200
    sandbox.advance(2)
    answer = api.get("/venues")
    body = answer.json()
    assert (answer.status_code, body["error"]) == (401, "Token expired")
    assert datetime.fromisoformat(body["expires_at"]) == datetime.fromtimestamp(expires_at, UTC)


def test_a_new_login_works_after_expiry(api, sandbox):
    old = api.token
    sandbox.advance(4000)
    token = api.auth().json()["token"]
    assert api.get("/venues", headers={"x-token": old}).status_code == 401
    assert api.get("/venues", headers={"x-token": token}).status_code == 200


def test_date_header_and_envelope_share_the_servers_clock(api, sandbox):
    sandbox.advance(86_400)
    answer = api.auth()
    said = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert said == pytest.approx(answer.json()["expires_at"] - 3600, abs=2)
    data = api.get("/venues", headers={"x-token": answer.json()["token"]}).json()
    assert data["unix"] == pytest.approx(said, abs=3)
    stamp = datetime.strptime(data["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert stamp.timestamp() == data["unix"]


def test_integrator_deactivated_later_is_401_on_data_endpoints(api, sandbox):
    assert api.get("/venues").status_code == 200
    sandbox.deactivate_integrator()
    answer = api.get("/venues")
    assert (answer.status_code, answer.json()["error"]) == (401, "Invalid integrator_id")
    assert api.auth().status_code == 400
    sandbox.restore_integrator()
    assert api.get("/venues").status_code == 200


def test_mode_mismatch_on_data_endpoints_is_a_real_401(api, sandbox):
    assert api.get("/venues").status_code == 200
    sandbox.put_integrator_in_test_mode()
    answer = api.get("/venues")
    assert (answer.status_code, answer.json()["error"]) == (401, MISMATCH)
    assert api.auth().status_code == 200
    assert api.auth().json()["success"] is False


def test_made_up_secrets_look_made_up(sandbox):
    assert sandbox.credentials["client_secret"].startswith("sandbox-secret-")
    assert "secret" not in repr(sandbox)
