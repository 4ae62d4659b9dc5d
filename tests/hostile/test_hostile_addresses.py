"""Over plain HTTP credentials go to this machine alone, whatever an address looks like."""

from __future__ import annotations

import pytest

import clopos_nb
from clopos_nb import errors


@pytest.mark.parametrize(
    "host",
    [
        "localhost.evil.com", "localhost.", "127.0.0.1.", "127.0.0.1.evil.com", "2130706433",
        "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0", "0", "10.0.0.1", "169.254.169.254",
        "[::ffff:10.0.0.1]", "[fe80::1]", "[::]", "%6cocalhost", "127。0。0。1", "ⓛocalhost",
        "127.0.0.1\t.evil.com", "127.0.0.1\n.evil.com", "127.0.0.1\\.evil.com",
        "evil.com\\127.0.0.1",
        "127.0.0.1@evil.com", "evil.com@127.0.0.1", "evil.com\\@127.0.0.1", "127.0.0.1:80@evil.com",
    ],
)  # fmt: skip
def test_no_other_host_passes_for_this_machine(host):
    with pytest.raises(errors.ConfigError, match="base_url"):
        clopos_nb.Session(base_url=f"http://{host}/open-api/v2")


@pytest.mark.parametrize("host", ["[::1]evil.com", "evil.com[::1]", "[::1%25evil]"])
def test_an_address_that_two_programs_read_differently_goes_nowhere(host, credentials):
    with pytest.raises(errors.CloposError):
        _asks_for_venues(f"http://{host}/", credentials)


def _asks_for_venues(url: str, credentials: dict[str, str]) -> None:
    with clopos_nb.Session(base_url=url, cache_dir=False, **credentials) as session:
        session._transport.sleep = lambda seconds: None
        session.get("/venues")


def test_no_proxy_of_the_environment_is_asked_for_this_machine(hostile, victim, monkeypatch):
    port = hostile.url.split(":")[2].split("/")[0]
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://me:planted-proxy-password@127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert len(victim.get("/venues")) == 1
    assert {asked.headers["host"] for asked in hostile.seen} == {f"127.0.0.1:{port}"}
    assert not [
        a for a in hostile.seen if {"authorization", "proxy-authorization"} & set(a.headers)
    ]
