"""Frames as files for other programs: CSV, XLSX and Parquet, without formulas that came as data."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd

from clopos_nb.errors import ConfigError

Format: TypeAlias = Literal["csv", "xlsx", "parquet"]

MIME: dict[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
SHEET_ROWS = 1_048_575  # of Excel, below the head
CELL_LETTERS = 32_767
FIRST_DAY = pd.Timestamp("1900-03-01")  # before it Excel has no days, or counts one that was none
_NO_WRITER = "XLSX needs the extra explore: pip install 'clopos_nb[explore]'"

# What a spreadsheet takes for a formula; a phone number with its plus is none.
_FORMULA = re.compile(r"\s*(?:[=@＝＠\t\r]|[+＋－-](?![\d\s().-]*$))")


def as_file(frame: pd.DataFrame, kind: Format) -> bytes:
    """Return a frame as the content of a file, without its index.

    CSV is UTF-8 with a byte order mark, which Excel needs to read letters such as "ə". A text that
    a spreadsheet would run as a formula gets an apostrophe in front of it. In XLSX every text is
    text, unchanged, and instants are written as their zone's own time, since Excel knows no zones;
    those before March 1900, which it cannot count, are texts.
    Parquet is exact: dtypes, zones and the certificate.

    Parameters
    ----------
    frame : pandas.DataFrame
    kind : "csv", "xlsx" or "parquet"

    Returns
    -------
    bytes

    Raises
    ------
    ConfigError
        For XLSX: more rows than a sheet holds, a longer text than a cell does, or the extra
        ``explore`` is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> text = as_file(pd.DataFrame({"name": ["=1+1", "Plov"], "price": [2.0, 9.5]}), "csv")
    >>> text.decode("utf-8-sig").splitlines()
    ['name,price', "'=1+1,2.0", 'Plov,9.5']
    """
    stream = io.BytesIO()
    if kind == "csv":
        _harmless(frame).to_csv(stream, index=False, encoding="utf-8-sig")
    elif kind == "xlsx":
        _write_sheet(frame, stream)
    else:
        frame.to_parquet(stream, index=False)
    return stream.getvalue()


def checked_target(path: Path, *, force: bool = False) -> Format:
    """Return the kind of file that a path asks for, if one can be written there; writes nothing.

    Raises
    ------
    ConfigError
        Its ending is none of the three, there is something already and ``force`` is false, its
        folder is not there, or XLSX without the extra ``explore``.
    """
    kind = next((kind for kind in MIME if path.suffix.lower() == f".{kind}"), None)
    if kind is None:
        message = f"{path} does not say what to write; end it in .parquet, .csv or .xlsx"
        raise ConfigError(message)
    if kind == "xlsx" and importlib.util.find_spec("xlsxwriter") is None:
        raise ConfigError(_NO_WRITER)
    if not path.parent.is_dir():
        message = f"There is no folder {path.parent}; make it, or choose another"
        raise ConfigError(message)
    for each in (path, _certificate_path(path)):
        if os.path.lexists(each) and not force:
            message = f"{each} is there already; choose another name, or say --force to replace it"
            raise ConfigError(message)
    return kind


def save(frame: pd.DataFrame, path: Path, *, force: bool = False) -> None:
    """Write a frame as the file that a path asks for, with its certificate.

    The certificate is in the metadata of Parquet, where ``pandas.read_parquet`` finds it, and
    beside the other kinds as ``PATH.certificate.json``. Whoever reads sees the old file or the
    whole new one, and no certificate of another file.

    Raises
    ------
    ConfigError
        As of :func:`checked_target` and :func:`as_file`.
    OSError
        The disk does not take it; what was there before still is.
    """
    kind = checked_target(path, force=force)
    contents = {path: as_file(frame, kind)}
    if kind != "parquet":
        text = json.dumps(frame.attrs["clopos"], indent=2, ensure_ascii=False)
        contents[_certificate_path(path)] = text.encode()
    drafts = {each: each.with_name(f".{each.name}.{secrets.token_hex(4)}") for each in contents}
    try:
        for each, draft in drafts.items():
            with draft.open("xb") as stream:
                stream.write(contents[each])
        _certificate_path(path).unlink(missing_ok=True)
        for each, draft in drafts.items():
            draft.replace(each)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _certificate_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.certificate.json")


def _harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts no spreadsheet runs, names of columns included."""
    frame = frame.rename(columns=lambda name: _quoted(str(name)))
    texts = {
        name: column.astype("object").map(_quoted, na_action="ignore")
        for name, column in frame.items()
        if _is_text(column)
    }
    return frame.assign(**{str(name): column for name, column in texts.items()})


def _quoted(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _is_text(column: pd.Series[Any]) -> bool:
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        kind = kind.categories.dtype
    return pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind)


def _write_sheet(frame: pd.DataFrame, stream: io.BytesIO) -> None:
    if len(frame) > SHEET_ROWS:
        message = f"{len(frame):,} rows are more than a sheet of Excel holds; take CSV or Parquet"
        raise ConfigError(message)
    if any(_is_text(column) and _longest(column) > CELL_LETTERS for _, column in frame.items()):
        message = "A text is longer than a cell of Excel holds; take CSV or Parquet"
        raise ConfigError(message)
    instants = {
        str(name): _as_excel_counts(column)
        for name, column in frame.items()
        if pd.api.types.is_datetime64_any_dtype(column.dtype)
    }
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    try:
        writer = pd.ExcelWriter(stream, engine="xlsxwriter", engine_kwargs={"options": options})
    except ImportError:
        raise ConfigError(_NO_WRITER) from None
    with writer:
        frame.assign(**instants).to_excel(
            writer, index=False, sheet_name="clopos", freeze_panes=(1, 0)
        )


def _longest(texts: pd.Series[Any]) -> float:
    return texts.astype("string").str.len().max() if texts.notna().any() else 0


def _as_excel_counts(instants: pd.Series[Any]) -> pd.Series[Any]:
    """Return instants without their zone, and those that Excel cannot count as texts."""
    plain: pd.Series[Any] = instants.dt.tz_localize(None)
    early = plain < FIRST_DAY
    if not early.any():
        return plain
    texts = plain[early].map(lambda at: at.isoformat(" "))
    mixed: pd.Series[Any] = plain.astype("object").mask(early, texts)
    return mixed
