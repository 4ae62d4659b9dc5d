"""Looking for what keeps a session from reading, from its settings to each list it may read.

The steps build on each other: after one that failed, those behind it would only fail for the same
reason. Nothing that is shown holds a secret, a name or a phone: texts are this package's own, and
client id, client secret and token are masked in them once more.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import re
import socket
import stat
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clopos_nb import errors
from clopos_nb.addresses import is_loopback
from clopos_nb.checkup import Check, Checkup, State
from clopos_nb.credentials import NAMES, VARIABLES, Secret, look_up
from clopos_nb.errands import Errand
from clopos_nb.questions import Question
from clopos_nb.session import Session
from clopos_nb.tables import CATALOGUE

SKEW_S = 60.0  # a clock that is wrong by more than this is told
PATIENCE_S = 61.0  # a window of the budget, and a little
_SCARCE = 0.1  # of the budget
_SHOWN = 20  # ids of venues
_SECRET = 6  # letters of the shortest that is looked for


def examine(session: Session) -> Checkup:
    """Return what :meth:`clopos_nb.Session.doctor` found."""
    with warnings.catch_warnings():
        # Said below, with the rest.
        warnings.simplefilter("ignore", errors.CacheUnavailable)
        checks = [_versions(), *_settings(session)]
        for step in (_address, _connection, _login, _lists):
            if any(check.state == "failed" for check in checks):
                break
            checks += step(session)
        # What is on this machine, whatever the server says.
        checks += [_budget(session), _cache(session), *_store(session)]
    return Checkup(tuple(_masked(session, check) for check in checks))


def examine_environment() -> Checkup:
    """Return the same of the session that the environment describes; not even that has to be."""
    try:
        session = Session()
    except errors.ConfigError as error:
        return Checkup((_versions(), _problem("settings", error)))
    with session:
        return examine(session)


# ------------------------------------------------------------------------- on this machine


def _versions() -> Check:
    """Name Python and the packages that this one uses, those of its extras where they are there."""
    found = [f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"]
    try:
        wanted = importlib.metadata.requires("clopos_nb") or []
    except importlib.metadata.PackageNotFoundError:  # run from its source, not installed
        wanted = []
    names = (re.match(r"[\w.-]+", requirement) for requirement in wanted)
    for name in dict.fromkeys(["clopos_nb", *(match[0] for match in names if match)]):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return Check("versions", "ok", ", ".join(found))


def _settings(session: Session) -> Iterator[Check]:
    """Tell each setting and where it came from; of a secret, that it is there."""
    transport, sources = session._transport, dict(session._sources)
    known = session._credentials
    if known is None:
        values, origins = look_up(session._given, ask=False)
    else:
        values = {name: Secret(text) for name, text in known.body().items()}
        origins = dict(known.origins)
    sources |= origins
    for name in NAMES:
        if name in values:
            shown = "set" if name.startswith("client") else values[name].reveal()
            yield Check(name, "ok", f"{shown} ({sources[name]})")
        else:
            advice = f"Set {VARIABLES[name]}, or pass {name}= to clopos_nb.Session()"
            yield Check(name, "failed", "not set", advice)
    rate, directory = transport.rate, transport.store.directory
    store = session._reads.store
    others = {
        "base_url": transport.base_url,
        "venue_id": "the main one" if session._venue_id is None else str(session._venue_id),
        "timezone": session._reads.timezone or "none: times stay as they are sent",
        "rate_limit": f"{rate.limit}/{rate.window_s:g}s",
        "cache_dir": "none" if directory is None else _path(directory),
        "store": "none" if store is None else _path(store.root),
    }
    for name, value in others.items():
        yield Check(name, "ok", f"{value} ({sources[name]})")


def _cache(session: Session) -> Check:
    """Look at the directory that tokens are kept in, which a login has opened."""
    store = session._transport.store
    if store.directory is None:
        return Check("cache", "ok", "none: the token is kept in memory")
    folder, rows, mode = store.directory / "tokens", None, 0
    with store.cabinet.opened() as cache:
        if cache is not None:
            rows, mode = len(cache), stat.S_IMODE(folder.stat().st_mode)
    if rows is None:
        return Check(
            "cache",
            "warning",
            f"{_path(store.directory)} cannot be used: each session logs in by itself, and counts "
            "its requests by itself",
            "Set CLOPOS_NB_CACHE_DIR to another directory, or delete it",
        )
    if os.name == "posix" and mode & 0o077:
        return Check("cache", "warning", "others can read it", f"chmod 700 {_path(folder)}")
    return Check("cache", "ok", f"works, and is its owner's alone; {rows} rows")


def _store(session: Session) -> Iterator[Check]:
    """Open the store, if there is one, and count what it holds; without it everything is read."""
    if session._reads.store is None:
        return
    try:
        held = session.store.info()
    except errors.CloposError as error:
        advice = "Until it opens, rows come from the server. A store is a copy: it may be deleted"
        yield Check("store_holds", "warning", _home(str(error)), advice)
    else:
        size = held.attrs["clopos"]["bytes"] / 1e6
        found = f"{held['table'].nunique()} tables, {held['rows'].sum():,} rows, {size:,.1f} MB"
        yield Check("store_holds", "ok", found)


# ----------------------------------------------------------------------------- on the way


def _address(session: Session) -> Iterator[Check]:
    parts = urlsplit(session._transport.base_url)
    host = parts.hostname or ""
    if is_loopback(host):
        yield Check("address", "ok", f"{host} is this machine")
    elif urllib.request.getproxies().get(parts.scheme) and not urllib.request.proxy_bypass(host):
        yield Check("address", "ok", "looked up by the proxy that the environment names")
    else:
        try:
            socket.getaddrinfo(host, parts.port or parts.scheme, type=socket.SOCK_STREAM)
            yield Check("address", "ok", f"{host} is known")
        except (OSError, UnicodeError):
            advice = "Check the network, and base_url (CLOPOS_BASE_URL)"
            yield Check("address", "failed", f"No address is known of {host}", advice)


def _connection(session: Session) -> Iterator[Check]:
    """Send a request without a token: whatever is answered, somebody answered and said when."""
    transport = session._transport
    try:
        took_s, server_now = transport.probe()
    except errors.CloposError as error:
        yield _problem("connection", error)
        return
    secure = transport.base_url.startswith("https:")
    how = "with TLS, its certificate verified" if secure else "without TLS, inside this machine"
    yield Check("connection", "ok", f"answered after {1e3 * took_s:.0f} ms, {how}")
    if server_now is None:
        yield Check("clock", "ok", "the server does not tell the time")
        return
    ahead = transport.now() - took_s / 2 - server_now
    if abs(ahead) <= SKEW_S:
        yield Check("clock", "ok", "within a minute of the server's")
        return
    direction = "ahead of" if ahead > 0 else "behind"
    yield Check(
        "clock",
        "warning",
        f"this machine's is about {abs(ahead) / 60:,.0f} minutes {direction} the server's",
        "Set the clock by a time server; 'today' and TLS depend on it, the token does not",
    )


# ----------------------------------------------------------------------------- at the server


def _login(session: Session) -> Iterator[Check]:
    try:
        token = session._transport.token()
    except errors.CloposError as error:
        yield _problem("login", error)
        return
    yield Check("login", "ok", "a token is there")
    stage = token.claims.get("stage")
    said = stage if isinstance(stage, str) and re.fullmatch(r"\w{1,20}", stage) else None
    yield Check("stage", "ok", f"{said}, as the token says" if said else "the token does not say")


def _lists(session: Session) -> Iterator[Check]:
    """Ask each list of the catalogue for a row; it is the token's venue's, or the default one's."""
    yesterday = session._reads.days("yesterday")
    for table in CATALOGUE.values():
        if table.parent or table.per:
            continue
        # Of years of receipts the server would count all, which takes it too long.
        days, when = (yesterday, " yesterday") if table.dated else (None, "")
        question = Question((table,), days, limit=1)
        venue_id = session._venue_id if table.scope == "venue" else None
        try:
            answer = session._transport.send(
                "GET",
                question.path(1),
                query=question.query(1),
                venue_id=venue_id,
                errand=Errand(waiting=_lose_patience),
            )
            rows = answer.rows()
        except errors.ModuleUnavailable as error:
            yield _problem(f"GET {table.path}", error, "warning", "The module is missing")
        except errors.PermissionDenied as error:
            yield _problem(f"GET {table.path}", error, "warning", "The permission is missing")
        except errors.CloposError as error:
            yield _problem(f"GET {table.path}", error)
            if isinstance(error, errors.AuthError | errors.TransportError | errors.RateLimited):
                return  # so would all others
        else:
            count = len(rows) if answer.total is None else answer.total
            yield Check(f"GET {table.path}", "ok", f"readable, {count:,} rows{when}")
            if table is CATALOGUE["venues"]:
                yield _venues(session, rows)


def _lose_patience(wait_s: float) -> None:
    """Wait for a window of the budget, not for what somebody else may do with it."""
    if wait_s > PATIENCE_S:
        message = "The request budget is used up. Other software may be using it; try again later"
        refused = errors.RateLimited(message, status=429)
        refused.retry_after = math.inf  # so that it is not tried again
        raise refused


def _venues(session: Session, rows: list[dict[str, Any]]) -> Check:
    """Tell how many there are, and their ids: a name may be a person's."""
    ids = [str(row.get("id")) for row in rows if isinstance(row.get("id"), int | str)]
    if not ids:
        advice = "The brand's owner can grant one in the back office"
        return Check("venues", "failed", "These credentials see no venue", advice)
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    found = f"{len(ids)} seen, of the ids {', '.join(ids[:_SHOWN])}{more}"
    if session._venue_id is not None and str(session._venue_id) not in ids:
        advice = "Set venue_id (CLOPOS_VENUE_ID) to one of these, or leave it out"
        return Check("venues", "failed", f"{found}; {session._venue_id} is not among them", advice)
    return Check("venues", "ok", found)


def _budget(session: Session) -> Check:
    quota = session._transport.quota
    if quota.limit is None or quota.remaining is None:
        return Check("budget", "ok", "not stated by the server; rate_limit is kept to")
    found = f"{quota.remaining:,} of {quota.limit:,} requests left"
    if quota.remaining >= _SCARCE * quota.limit:
        return Check("budget", "ok", found)
    advice = "Other software uses the same brand and integrator; reads wait for their turn"
    return Check("budget", "warning", found, advice)


# -------------------------------------------------------------------------------- telling


def _problem(
    name: str, error: errors.CloposError, state: State = "failed", found: str = ""
) -> Check:
    """Return an error as a check: its first sentence is what was found, the rest what to do."""
    first, _, advice = str(error).partition(". ")
    if isinstance(error, errors.AuthError):
        advice += f". Who can mend it: {error.who_can_fix}"
    return Check(name, state, f"{found}: {first}" if found else first, advice)


def _path(path: Path | str) -> str:
    """Return a path without the home directory, which is called after somebody; a URL as it is."""
    if isinstance(path, str):
        return path
    home = Path(os.path.expanduser("~"))  # which does not mind that there is none
    path = path.absolute()
    return str(Path("~") / path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _home(text: str) -> str:
    """Return a text without the home directory in it."""
    home = os.path.expanduser("~")
    return text.replace(home, "~") if len(home) > 1 else text


def _masked(session: Session, check: Check) -> Check:
    """Return a check without the secrets, which may have been set where something else belongs.

    Not of a few letters: where they were cut out of other words they could be read.
    """
    known, token = session._credentials, session._transport.held_token(session._credentials)
    secrets = [known.client_id, known.client_secret] if known else []
    secrets += [secret for name, secret in session._given.items() if name.startswith("client")]
    secrets += [token.secret] if token else []
    found, advice = check.found, check.advice
    for secret in secrets:
        if len(secret.reveal()) >= _SECRET:
            found = found.replace(secret.reveal(), "***")
            advice = advice.replace(secret.reveal(), "***")
    return replace(check, found=found, advice=advice)
