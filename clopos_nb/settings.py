"""What people set: read from arguments and the environment, and checked."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from clopos_nb import errors
from clopos_nb.budget import Rate
from clopos_nb.columns import Dtypes
from clopos_nb.credentials import VARIABLES as CREDENTIALS
from clopos_nb.days import day_range

VARIABLES = {
    **CREDENTIALS,
    "venue_id": "CLOPOS_VENUE_ID",
    "base_url": "CLOPOS_BASE_URL",
    "timezone": "CLOPOS_TIMEZONE",
    "cache_dir": "CLOPOS_NB_CACHE_DIR",
    "rate_limit": "CLOPOS_RATE_LIMIT",
    "store": "CLOPOS_NB_STORE",
}


def sources(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return where each setting comes from: an argument, its environment variable or the default.

    Examples
    --------
    >>> from clopos_nb.settings import sources
    >>> sources({"venue_id": 3, "timezone": ""})
    {'venue_id': 'argument', 'timezone': 'default'}
    """
    return {
        name: "argument"
        if value not in (None, "")
        else VARIABLES[name]
        if os.environ.get(VARIABLES[name])
        else "default"
        for name, value in arguments.items()
    }


def venue_setting(venue_id: int | None) -> int | None:
    """Return the default venue's id, of the argument or the environment."""
    value: Any = venue_id if venue_id is not None else os.environ.get("CLOPOS_VENUE_ID") or None
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        message = f"venue_id is {value!r}; expected a whole number (CLOPOS_VENUE_ID)"
        raise errors.ConfigError(message) from None


def zone(name: str | None) -> str | None:
    """Return the name of a time zone, if there is such a one."""
    try:
        return name and ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        message = (
            f"{name!r} is not a time zone; expected an IANA name such as 'Asia/Baku' "
            "(CLOPOS_TIMEZONE)"
        )
        raise errors.ConfigError(message) from None


def one_of(name: str, value: Any, *choices: Any) -> Any:
    """Return a value that is one of the choices."""
    if value not in choices:
        message = f"{name} is {value!r}; expected {' or '.join(map(repr, choices))}"
        raise errors.ConfigError(message)
    return value


AsOf: TypeAlias = "int | str | dt.date"


def version_at(value: AsOf | None) -> dt.datetime | int | None:
    """Return the version or the moment that ``as_of=`` names; a day or month means its end.

    A moment without an offset is UTC, as the list of versions is.

    Examples
    --------
    >>> from clopos_nb.settings import version_at
    >>> version_at(7), version_at("2026-03-01 12:00").isoformat()
    (7, '2026-03-01T12:00:00+00:00')
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    moment = None
    if isinstance(value, (str, dt.date)):
        with contextlib.suppress(TypeError, ValueError):
            moment = pd.Timestamp(value)
        if not isinstance(value, dt.datetime):
            with contextlib.suppress(errors.InvalidDates):
                if days := day_range(value, today=dt.datetime.now(dt.UTC).date()):
                    moment = pd.Timestamp(days[1]) + pd.Timedelta(days=1, microseconds=-1)
    if moment is None or pd.isna(moment):
        message = (
            f"as_of is {value!r}; expected a version (store.versions() lists them), a day or a "
            'moment such as "2026-03-01 12:00"'
        )
        raise errors.ConfigError(message)
    found: dt.datetime = (moment if moment.tzinfo else moment.tz_localize("UTC")).to_pydatetime()
    return found


def rate(text: str | None) -> Rate:
    """Return the request budget that a setting such as ``"300/60s"`` grants."""
    try:
        return Rate.of(text) if text else Rate()
    except ValueError:
        message = f"rate_limit is {text!r}; expected as in '300/60s' (CLOPOS_RATE_LIMIT)"
        raise errors.ConfigError(message) from None


def dtypes(
    timezone: str | None, backend: str, money: str, categorical: bool | str | Sequence[str]
) -> Dtypes:
    """Return the dtypes that the arguments of ``frame()`` ask for.

    Raises
    ------
    ConfigError
    """
    one_of("dtype_backend", backend, "numpy_nullable", "pyarrow")
    one_of("money", money, "float", "decimal")
    if isinstance(categorical, str):
        categorical = [categorical]
    chosen = categorical if isinstance(categorical, bool) else tuple(categorical)
    return Dtypes(timezone, backend, money, chosen)  # type: ignore[arg-type]  # checked above
