"""How long a token is used, by whose clock."""

from __future__ import annotations

import jwt
import pytest

from clopos_nb.credentials import Secret
from clopos_nb.errors import ResponseError
from clopos_nb.tokens import Token, TokenStore

KEY = "k" * 32
NOW = 1_767_848_732.0


def encoded(**claims: object) -> str:
    return jwt.encode(claims, KEY, algorithm="HS256")


def token(life: float, *, at: float = NOW, value: str = "t") -> Token:
    return Token(Secret(value), at, at + life)


def test_expires_in_needs_no_clock_and_is_believed_over_expires_at():
    answer = {"token": "opaque", "expires_in": 3600, "expires_at": NOW + 10}
    assert Token.from_answer(answer, now=NOW).expires_at == NOW + 3600


def test_expires_at_is_read_by_the_servers_clock():
    answer = {"token": "opaque", "expires_at": NOW + 7200 + 3600}
    assert Token.from_answer(answer, now=NOW, server_now=NOW + 7200).expires_at == NOW + 3600


def test_the_tokens_own_claims_may_only_shorten_its_life():
    value = encoded(iat=int(NOW), exp=int(NOW) + 600)
    assert Token.from_answer({"token": value, "expires_in": 3600}, now=NOW).expires_at == NOW + 600
    value = encoded(iat=int(NOW), exp=int(NOW) + 9999)
    assert Token.from_answer({"token": value, "expires_in": 3600}, now=NOW).expires_at == NOW + 3600


def test_a_token_that_says_nothing_is_used_for_a_short_while():
    assert 0 < Token.from_answer({"token": "opaque"}, now=NOW).seconds_left(NOW) <= 600


@pytest.mark.parametrize("answer", [{}, {"token": ""}, {"token": 5}, {"token": None}])
def test_an_answer_without_a_token_is_a_response_error(answer):
    assert isinstance(Token.from_answer(answer, now=NOW), ResponseError)


@pytest.mark.parametrize(("life", "margin"), [(3600, 60), (100, 10)])
def test_a_token_is_renewed_before_its_end(life, margin):
    assert token(life).is_fresh(NOW + life - margin - 1)
    assert not token(life).is_fresh(NOW + life - margin)


def test_a_clock_that_was_set_back_does_not_keep_a_token_alive():
    assert not token(3600).is_fresh(NOW - 7200)


def test_the_inner_secret_is_not_among_the_claims_shown():
    found = token(60, value=encoded(brand="b", token="oauth_inner"))
    assert found.claims == {"brand": "b"}
    assert "oauth_inner" not in repr(found)


def test_a_store_logs_in_again_when_the_margin_is_reached_and_not_before():
    clock, logins = [NOW], []

    def login() -> Token:
        logins.append(clock[0])
        return token(3600, at=clock[0], value=f"t{len(logins)}")

    store = TokenStore(None, now=lambda: clock[0])
    for moment in (0, 3500, 3539, 3541, 3600):
        clock[0] = NOW + moment
        store.obtain("key", login)
    assert logins == [NOW, NOW + 3541]


def test_a_refused_token_is_replaced_and_another_ones_fresh_token_is_used_instead():
    store = TokenStore(None, now=lambda: NOW)
    first = store.obtain("key", lambda: token(3600, value="one"))
    second = store.obtain("key", lambda: token(3600, value="two"), but=first)
    assert second.secret == Secret("two")
    assert store.obtain("key", lambda: pytest.fail("logged in"), but=first) == second


def test_tokens_of_other_credentials_are_not_mixed_up():
    store = TokenStore(None, now=lambda: NOW)
    store.obtain("a", lambda: token(3600, value="of a"))
    assert store.obtain("b", lambda: token(3600, value="of b")).secret == Secret("of b")
