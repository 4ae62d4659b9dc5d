"""The magic ``%clopos``, after ``%load_ext clopos_nb``."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, get_args

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from clopos_nb.questions import Day
from clopos_nb.session import Session
from clopos_nb.tables import CATALOGUE

if TYPE_CHECKING:
    import pandas as pd

VIEWS = ("venues", "tables", "quota", "login")
OPTIONS = ("--venue", "--venues", "--filter", "--limit", "--day", "--into")


def _text(word: str) -> str:
    """Return a word of the line without the quotes round it."""
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word


@magics_class
class CloposMagics(Magics):
    """Reads through the variable ``session``, which is made when there is none."""

    @magic_arguments()
    @argument(
        "what", nargs="?", type=_text, help="a table, or one of: venues, tables, quota, login"
    )
    @argument("start", nargs="?", type=_text, help='first day, or a period: 2026-01, "last month"')
    @argument("end", nargs="?", type=_text, help="last day, included")
    @argument("--venue", type=_text, help="one venue, by id, name or a part of it")
    @argument("--venues", nargs="+", type=_text, help="several venues, by id or name")
    @argument(
        "--filter",
        action="append",
        type=_text,
        default=[],
        help="field=value; may be repeated, for several values too",
    )
    @argument("--limit", type=int, help="stop after this many rows")
    @argument(
        "--day",
        choices=get_args(Day),
        default="created_at",
        help="what a day is: created_at, or shift_date for business days",
    )
    @argument("--into", type=_text, help="keep the frame under this name instead of showing it")
    @line_magic
    def clopos(self, line: str) -> Any:
        """Show venues, tables, quota or the session, or read a table into a DataFrame."""
        words = parse_argstring(self.clopos, line)
        if words.what is None:
            return self._session
        alone = line.split() == [words.what]
        if words.what in VIEWS and (alone or words.what not in CATALOGUE):
            if not alone:
                message = f"%clopos {words.what} takes nothing else"
                raise UsageError(message)
            return self._view(words.what)
        if words.venue and words.venues:
            message = "Give --venue or --venues, not both"
            raise UsageError(message)
        if words.into and (not words.into.isidentifier() or iskeyword(words.into)):
            message = f"--into {words.into} is no name of a variable"
            raise UsageError(message)
        frame = self._read(words)
        if not words.into:
            return frame
        self._variables[words.into] = frame
        return None

    def _view(self, what: str) -> Any:
        if what == "login":
            self._session.login()
            return self._session
        return getattr(self._session, what)

    def _read(self, words: Any) -> pd.DataFrame:
        options = {"filters": _filters(words.filter), "limit": words.limit, "day": words.day}
        if words.venue:
            whose = self._session.venue(words.venue)
            return whose.frame(words.what, words.start, words.end, **options)
        venues = words.venues or "all"
        return self._session.frame(words.what, words.start, words.end, venues=venues, **options)

    @property
    def _variables(self) -> dict[str, Any]:
        variables: dict[str, Any] = self.shell.user_ns  # type: ignore[union-attr]  # there is one
        return variables

    @property
    def _session(self) -> Session:
        session = self._variables.get("session")
        if session is None:
            session = self._variables["session"] = Session()
        if not isinstance(session, Session):
            message = f"The variable session is a {type(session).__name__}, not a clopos_nb.Session"
            raise UsageError(message)
        return session


def _filters(words: list[str]) -> dict[str, str | list[str]] | None:
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        message = f"--filter {wrong[0]} has no value; write --filter field=value"
        raise UsageError(message)
    filters: dict[str, list[str]] = {}
    for name, _, value in pairs:
        filters.setdefault(name, []).append(_text(value))
    return {name: each if len(each) > 1 else each[0] for name, each in filters.items()} or None


# ---------------------------------------------------------------------------- completion

IN_BRACKETS = r"(\w+)\.venues\[\"([^\"]*)$"


def complete_line(shell: InteractiveShell, event: Any) -> list[str]:
    """Return what may come next in a line that begins with ``%clopos``; sends nothing."""
    if event.symbol.startswith("-"):
        return list(OPTIONS)
    before = event.text_until_cursor
    done, quote, quoted = before.rpartition('"') if before.count('"') % 2 else (before, "", "")
    words = done[: len(done) - len("" if quote else event.symbol)].split()
    named = [word for word in words if word.startswith("--")][-1:]
    if named == ["--venues"] or words[-1:] == ["--venue"]:
        names = _venue_names(shell, "session")
        if quote:
            return [f'{rest}"' for rest in _rests(names, quoted, event.symbol)]
        return [f'"{name}"' if " " in name else name for name in names]
    return [*VIEWS, *CATALOGUE] if len(words) == 1 else []


def complete_brackets(shell: InteractiveShell, event: Any) -> list[str]:
    """Return the venues that may come after ``session.venues["``; sends nothing.

    IPython's own completion stops at a property, since reading one may do anything.
    """
    ((name, typed),) = re.findall(IN_BRACKETS, event.text_until_cursor)
    return _rests(_venue_names(shell, name), typed, event.symbol)


def _rests(names: list[str], typed: str, symbol: str) -> list[str]:
    """Return the names that begin as typed, without what IPython keeps: all but the last word."""
    kept = typed[: len(typed) - len(symbol)]
    return [name[len(kept) :] for name in names if name.startswith(kept)]


def _venue_names(shell: InteractiveShell, name: str) -> list[str]:
    session = shell.user_ns.get(name)
    known = session._venues if isinstance(session, Session) else None
    return [venue.name for venue in known or ()]


def load(shell: InteractiveShell) -> None:
    """Register the magic and its completion."""
    shell.register_magics(CloposMagics)
    shell.set_hook("complete_command", complete_line, str_key="%clopos")
    shell.set_hook("complete_command", complete_brackets, re_key=r".*" + IN_BRACKETS)
