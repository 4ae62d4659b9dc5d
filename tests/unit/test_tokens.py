"""How long a token is used, by whose clock."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import jwt
import pytest

from clopos_nb.cabinet import LOCK_S, Cabinet
from clopos_nb.credentials import Secret
from clopos_nb.errors import CacheUnavailable, ResponseError
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


@pytest.mark.parametrize(
    ("said", "life"),
    [
        ({"expires_in": "3600"}, 3600),
        ({"expires_at": str(NOW + 90)}, 90),
        ({"expires_at": NOW + 90}, 90),
        ({"expires_in": 0.5}, 0.5),
        ({"expires_in": True, "expires_at": NOW + 90}, 90),
        ({"expires_in": "soon", "expires_at": NOW + 90}, 90),
        ({"expires_in": [90], "expires_at": NOW + 80}, 80),
    ],
)
def test_an_end_may_be_a_number_or_the_text_of_one(said, life):
    found = Token.from_answer({"token": "opaque", **said}, now=NOW)
    assert found == Token(Secret("opaque"), NOW, NOW + life)


@pytest.mark.parametrize(
    "said",
    [
        {"expires_in": 0},
        {"expires_in": -5},
        {"expires_at": NOW - 1},
        {"expires_in": float("nan")},
        {"expires_in": "1e999"},
        {"expires_in": 10**400},
    ],
)
def test_an_end_that_cannot_be_is_as_good_as_none(said):
    unknown = Token.from_answer({"token": "opaque"}, now=NOW)
    assert Token.from_answer({"token": "opaque", **said}, now=NOW) == unknown


@pytest.mark.parametrize("claims", [{"exp": int(NOW) + 9}, {"iat": int(NOW)}, {}])
def test_a_claim_without_its_pair_tells_no_life(claims):
    found = Token.from_answer({"token": encoded(**claims), "expires_in": 3600}, now=NOW)
    assert found.seconds_left(NOW + 600) == 3000


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"token": ""},
        {"token": 5},
        {"token": None},
        {"token": "two words"},
        {"token": "header\r\nx-other: 1"},
        {"token": "schlüssel"},
    ],
)
def test_an_answer_without_a_token_is_a_response_error(answer):
    assert isinstance(Token.from_answer(answer, now=NOW), ResponseError)


@pytest.mark.parametrize(("life", "margin"), [(3600, 60), (100, 10)])
def test_a_token_is_renewed_before_its_end(life, margin):
    assert token(life).is_fresh(NOW + life - margin - 1)
    assert not token(life).is_fresh(NOW + life - margin)


def test_a_clock_that_was_set_back_does_not_keep_a_token_alive():
    assert not token(3600).is_fresh(NOW - 7200)
    assert not token(3600).is_fresh(NOW - 61)
    assert token(3600).is_fresh(NOW - 60)  # clocks are corrected by less than this


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


# ------------------------------------------------------------------- between processes


@pytest.fixture
def here(tmp_path) -> Path:
    return tmp_path / "cache"


def no_login() -> Token:
    pytest.fail("logged in")


def fresh(value: str, life: float = 3600) -> Token:
    return token(life, at=time.time(), value=value)


def rows(directory: Path) -> dict[str, object]:
    """Return what is on disk, what is over included."""
    cabinet = Cabinet(directory)
    with cabinet.opened() as cache:
        kept = {key: cache.get(key) for key in cache}
    cabinet.close()
    return kept


def put(directory: Path, key: str, value: object, expire: float) -> None:
    cabinet = Cabinet(directory)
    with cabinet.opened() as cache:
        cache.set(key, value, expire=expire)
    cabinet.close()


def test_a_second_store_finds_the_token_of_the_first_and_all_that_is_known_of_it(here):
    first = TokenStore(here).obtain("key", lambda: fresh("one"))
    second = TokenStore(here)
    assert second.held("key") is None  # which opens no file
    assert second.peek("key") == second.held("key") == first
    assert TokenStore(here).obtain("key", no_login) == first
    assert TokenStore(here).peek("other") is None


def test_peeking_and_holding_log_nobody_in_and_show_no_token_that_is_over():
    clock = [NOW]
    store = TokenStore(None, now=lambda: clock[0])
    assert store.peek("key") is store.held("key") is None
    kept = store.obtain("key", lambda: token(3600))
    assert store.peek("key") == store.held("key") == kept
    clock[0] += 3540
    assert store.peek("key") is store.held("key") is None


def test_a_token_that_was_refused_is_not_taken_from_disk_either(here):
    refused = TokenStore(here).obtain("key", lambda: fresh("one"))
    other = TokenStore(here)
    assert other.obtain("key", lambda: fresh("two"), but=refused).secret == Secret("two")
    assert TokenStore(here).peek("key").secret == Secret("two")


def test_who_holds_a_refused_token_takes_the_newer_one_from_disk(here):
    store = TokenStore(here)
    refused = store.obtain("key", lambda: fresh("one"))
    newer = TokenStore(here).obtain("key", lambda: fresh("two"), anew=True)
    assert store.obtain("key", no_login, but=refused) == newer


def test_who_finds_another_logging_in_waits_for_that_token(here):
    looks, looked_twice = [], threading.Event()

    def clock() -> float:
        looks.append(time.time())
        if len(looks) > 1:  # it has been told to wait, and is back
            looked_twice.set()
        return looks[-1]

    found = []
    waits = threading.Thread(
        target=lambda: found.append(
            TokenStore(here, now=clock).obtain("key", lambda: fresh("its own"))
        )
    )

    def login() -> Token:
        waits.start()
        assert looked_twice.wait(10)
        return fresh("one")

    mine = TokenStore(here).obtain("key", login)
    waits.join(10)
    assert found == [mine]


def test_a_login_with_other_credentials_is_not_waited_for(here):
    def login() -> Token:
        began = time.monotonic()
        TokenStore(here).obtain("other", lambda: fresh("of other"))
        assert time.monotonic() - began < LOCK_S
        return fresh("one")

    TokenStore(here).obtain("key", login)
    assert set(rows(here)) == {"key", "other"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks as POSIX has them")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_in_a_login_does_not_wait_for_the_thread_it_lost():
    store, logs_in, forked = TokenStore(None), threading.Event(), threading.Event()

    def login() -> Token:
        logs_in.set()
        assert forked.wait(30)
        return fresh("the parent's")

    thread = threading.Thread(target=store.obtain, args=("key", login))
    thread.start()
    assert logs_in.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # ends it, should it wait
        try:
            got = store.obtain("key", lambda: fresh("the child's"))
            os._exit(0 if got.secret == Secret("the child's") else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    forked.set()
    thread.join(10)
    assert status == 0
    assert store.held("key").secret == Secret("the parent's")


def test_a_login_that_failed_leaves_the_way_free(here):
    with pytest.raises(ConnectionError):
        TokenStore(here).obtain("key", lambda: (_ for _ in ()).throw(ConnectionError))
    assert rows(here) == {}
    TokenStore(here).obtain("key", lambda: fresh("one"))
    assert set(rows(here)) == {"key"}


def test_who_took_too_long_to_log_in_leaves_the_turn_of_the_next_alone(here):
    def login() -> Token:
        put(here, "key:login", "another's", expire=60)
        return fresh("late")

    TokenStore(here).obtain("key", login)
    assert rows(here)["key:login"] == "another's"


def test_a_token_stays_on_disk_no_longer_than_it_lives(here):
    put(here, "of old", "over", expire=-1)
    kept = TokenStore(here).obtain("key", lambda: fresh("one", 500))
    assert set(rows(here)) == {"key"}
    with Cabinet(here).opened() as cache:
        assert cache.get("key", expire_time=True)[1] == pytest.approx(kept.expires_at, abs=5)


def test_a_token_that_is_over_when_it_comes_is_returned_and_not_left_on_disk(here):
    put(here, "key", "before", expire=60)
    TokenStore(here).obtain("key", lambda: token(10), anew=True)
    assert rows(here)["key"] is None


def test_what_is_forgotten_is_forgotten_by_all_and_nothing_else_is(here):
    store = TokenStore(here)
    store.obtain("key", lambda: fresh("one"))
    store.obtain("other", lambda: fresh("two"))
    put(here, "of old", "over", expire=-1)
    store.forget("key")
    store.forget("key")
    assert store.peek("key") is None
    assert set(rows(here)) == {"other"}
    assert store.obtain("key", lambda: fresh("three")).secret == Secret("three")


def test_a_closed_store_opens_again(here):
    store = TokenStore(here)
    store.obtain("key", lambda: fresh("one"))
    store.close()
    store.close()
    store.obtain("other", lambda: fresh("two"))
    assert set(rows(here)) == {"key", "other"}


def test_without_a_place_on_disk_a_store_warns_once_and_works(here):
    here.write_text("not a directory")
    store = TokenStore(here)
    with pytest.warns(CacheUnavailable) as caught:
        one = store.obtain("key", lambda: fresh("one"))
    assert len(caught) == 1
    assert store.obtain("key", no_login) == one
    store.forget("key")
    assert store.peek("key") is None


GOOD = {"v": 1, "token": "t", "issued_at": NOW, "expires_at": NOW + 3600}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"v": 2},
        {"token": "two words"},
        {"token": None},
        {"issued_at": None},
        {"expires_at": "soon"},
    ],
)
def test_a_row_of_another_make_is_no_token(here, change):
    put(here, "key", GOOD | change, expire=60)
    found = TokenStore(here, now=lambda: NOW).peek("key")
    assert found == (None if change else token(3600))


def test_a_row_that_is_a_list_is_no_token(here):
    put(here, "key", [GOOD], expire=60)
    assert TokenStore(here).peek("key") is None


def test_a_file_that_another_process_removes_meanwhile_is_no_trouble(here):
    TokenStore(here).obtain("key", lambda: fresh("one"))
    others, over = here / "tokens" / "cache.db-of-another", threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            os.close(os.open(others, os.O_CREAT, 0o600))
            others.unlink(missing_ok=True)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(200):
            store = TokenStore(here)
            assert store.peek("key").secret == Secret("one")
            store.close()
    finally:
        over.set()
        thread.join()
