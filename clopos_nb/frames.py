"""Pages of Arrow columns into one pandas DataFrame with the declared dtypes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clopos_nb import columns as cols
from clopos_nb import errors
from clopos_nb.columns import Dtypes
from clopos_nb.decode import ADDED
from clopos_nb.tables.model import Column, Kind, Table


def assemble(
    table: Table,
    pages: Iterable[pa.Table],
    dtypes: Dtypes | None = None,
    chosen: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return pages as one DataFrame with the declared dtypes, also when there are none.

    Parameters
    ----------
    table : Table
    pages : iterable of pyarrow.Table
        As :func:`clopos_nb.decode.decode` gave them; further columns that the caller added come
        first. Of an iterator no page is kept longer than need be.
    dtypes : Dtypes, optional
        With a time zone all instants are aware and in that zone, those written without an offset
        being read as that zone's own; without it the latter stay naive and those written with Z are
        UTC. Calendar days never move.
    chosen : sequence of str, optional
        Only these columns, in this order, each once; optional ones also when no row has them.

    Returns
    -------
    pandas.DataFrame
        RangeIndex; dtypes ``Int64``, ``float64``, ``boolean``, ``string``, ``datetime64[us]``, or
        what ``dtypes`` asks for.

    Raises
    ------
    ConfigError
        A chosen column is not there; of a table without documentation only if there are rows.
    """
    dtypes = dtypes or Dtypes()
    whole = joined([_no_rows(table, dtypes, chosen or ()), *pages])
    del pages
    names = _column_order(table, whole.column_names)
    if chosen is not None:
        names = list(dict.fromkeys(chosen))
    missing = [name for name in names if name not in whole.column_names]
    if table.inferred and not whole.num_rows:  # without rows nobody can tell what it has
        for name in missing:
            whole = whole.append_column(name, pa.array([], cols.TYPES["text"]))
    elif missing:
        message = f"{table.name} has no column {missing[0]!r}; it has {whole.column_names}"
        raise errors.ConfigError(message)
    whole = whole.select(names)
    columns = table.by_name
    if table.inferred:
        whole, times = with_times(whole)
        columns = columns | times
    index = pd.RangeIndex(whole.num_rows)
    series, mapper = {}, _MAPPERS[dtypes.backend]
    for name in names:  # one after the other, so that no more than one is there twice
        column, whole = whole.column(name), whole.drop_columns(name)
        owned = column.num_chunks != 1  # several pieces become one array that is pandas' own
        if mapper(column.type) is not None:
            column = column.combine_chunks()
        found = column.to_pandas(types_mapper=mapper)
        if not owned and isinstance(found.dtype, np.dtype | pd.DatetimeTZDtype):
            found = found.copy()  # its numbers were Arrow's, which nobody can write to
        del column
        series[name] = _finished(found, columns[name], dtypes) if name in columns else found
    frame = pd.DataFrame(series, index, copy=False)
    if "venue" in frame.columns and dtypes.category("venue", known=True):
        frame["venue"] = frame["venue"].astype("category")
    return frame


_PANDAS_TYPES: Mapping[pa.DataType, Any] = {
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.large_string(): pd.StringDtype("pyarrow"),
    **{exact: pd.ArrowDtype(exact) for exact in cols.EXACT},
}
_MAPPERS: Mapping[str, Any] = {"numpy_nullable": _PANDAS_TYPES.get, "pyarrow": pd.ArrowDtype}


def _no_rows(table: Table, dtypes: Dtypes, chosen: Sequence[str]) -> pa.Table:
    always = [c for c in table.shown if not c.optional or c.name in chosen]
    return pa.table({c.name: pa.array([], dtypes.arrow(c.kind)) for c in always})


def _column_order(table: Table, seen: Sequence[str]) -> list[str]:
    """Return added columns first, then the table's own order, then undocumented ones by name."""
    first = list(ADDED) if "venue" in seen else []
    own = [c.name for c in table.fields if c.name in seen and c.name not in first]
    undocumented = [name for name in seen if name not in first and name not in own]
    return first + own + (undocumented if table.inferred else sorted(undocumented))


# ------------------------------------------------------------------------- joining pages


def joined(pages: Sequence[pa.Table]) -> pa.Table:
    """Return pages below each other, each column in the narrowest type that holds it.

    Parameters
    ----------
    pages : sequence of pyarrow.Table
        One or more; a column that a page lacks is null there.

    Returns
    -------
    pyarrow.Table
        Columns in the order they are first met.
    """
    schemas = {page.schema: None for page in pages}
    names = dict.fromkeys(name for schema in schemas for name in schema.names)
    fields = {
        name: cols.common_type([s.field(name).type for s in schemas if name in s.names])
        for name in names
    }
    try:
        alike = [_as_schema(page, fields) for page in pages]
    except pa.ArrowInvalid:  # a whole number beyond what a float holds: keep its digits
        lossy = [n for n, kind in fields.items() if not _casts(n, kind, pages)]
        fields |= dict.fromkeys(lossy, cols.TYPES["text"])
        alike = [_as_schema(page, fields) for page in pages]
    return pa.concat_tables(alike)


def _as_schema(page: pa.Table, fields: Mapping[str, pa.DataType]) -> pa.Table:
    schema = pa.schema(list(fields.items()))
    if page.schema.equals(schema):
        return page
    columns = [
        _as_type(page.column(name), kind)
        if name in page.column_names
        else pa.nulls(page.num_rows, kind)
        for name, kind in fields.items()
    ]
    return pa.table(columns, schema=schema)


def _casts(name: str, kind: pa.DataType, pages: Sequence[pa.Table]) -> bool:
    try:
        for page in pages:
            if name in page.column_names:
                _as_type(page.column(name), kind)
    except pa.ArrowInvalid:
        return False
    return True


def _as_type(column: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if column.type == target:
        return column
    if target == cols.TYPES["text"]:
        values = column.to_pylist()
        return pa.array([None if v is None else cols.text(v) for v in values], target)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    return column.cast(target)


def with_times(table: pa.Table) -> tuple[pa.Table, dict[str, Column]]:
    """Return a table without documentation, its columns of times as times, and which they are."""
    found = {}
    for index, name in enumerate(table.column_names):
        column = table.column(name)
        if pa.types.is_large_string(column.type) and column.null_count < len(column):
            days = pc.max(pc.utf8_length(column)).as_py() == len("2026-01-31")
            kinds: tuple[Kind, ...] = ("date",) if days else ("local", "utc")
            for kind in kinds:
                try:
                    times = column.cast(pa.string()).cast(cols.TYPES[kind])
                except pa.ArrowInvalid:
                    continue
                table = table.set_column(index, name, times)
                found[name] = Column(name, kind, (name,), "")
                break
    return table, found


# ----------------------------------------------------------------------- finishing touches


def _finished(values: pd.Series[Any], column: Column, dtypes: Dtypes) -> pd.Series[Any]:
    """Return a column in the chosen zone, and as a category where that is asked for."""
    if dtypes.timezone and dtypes.aware and column.kind in ("local", "utc", "ms"):
        return _in_zone(values, dtypes.timezone)
    if column.kind == "text" and dtypes.category(column.name, known=bool(column.known)):
        return _category(values, column)
    return values


def _category(values: pd.Series[Any], column: Column) -> pd.Series[Any]:
    """Return values as a category: the documented ones, then others as they are found."""
    others = [value for value in values.dropna().unique() if value not in column.known]
    known = pd.Series([*column.known, *sorted(others)], dtype=values.dtype)
    found: pd.Series[Any] = values.astype(pd.CategoricalDtype(known))
    return found


def _in_zone(times: pd.Series[Any], timezone: str) -> pd.Series[Any]:
    if isinstance(times.dtype, pd.ArrowDtype):
        numpy = times.astype("datetime64[us]" if times.dt.tz is None else "datetime64[us, UTC]")
        kind = pd.ArrowDtype(pa.timestamp("us", timezone))
        return _in_zone(numpy, timezone).astype(kind)
    if times.dt.tz is not None:
        converted: pd.Series[Any] = times.dt.tz_convert(timezone)
        return converted
    # The hour that a clock change repeats is read as its second run, the one that it skips as
    # the moment it is over; the API gives no way to know better.
    repeated = np.zeros(len(times), dtype=bool)
    aware: pd.Series[Any] = times.dt.tz_localize(
        timezone, ambiguous=repeated, nonexistent="shift_forward"
    )
    return aware
