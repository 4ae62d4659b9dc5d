"""A snapshot answers as the server did, without one, names nobody, and is believed in nothing."""

from __future__ import annotations

import datetime as dt
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from nbclient import NotebookClient

import clopos_nb
from clopos_nb import ConfigError, IncompleteResult, SnapshotError
from clopos_nb.tables import CATALOGUE

START, END = "2026-01-05", "2026-01-07"
TABLES = [
    "venues",
    "customers",
    "users",
    "products",
    "recipes",
    "orders",
    "order_products",
    "receipts",
    "receipt_products",
    "receipt_modificators",
    "receipt_payments",
    "/stock",
]


@pytest.fixture(scope="module")
def maker(sandbox, tmp_path_factory):
    """Return the session that snapshots are made with, and compared to."""
    folder = tmp_path_factory.mktemp("maker")
    with clopos_nb.Session(
        base_url=sandbox.url,
        **sandbox.credentials,
        cache_dir=False,
        timezone="Asia/Baku",
        today=dt.date(2026, 1, 8),
        pseudonym_key=folder / "pseudonyms.key",
    ) as session:
        yield session


@pytest.fixture(scope="module")
def path(maker, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("shared") / "days.zip"
    return maker.snapshot(target, TABLES, START, END, progress=False)


@pytest.fixture(scope="module")
def replay(path) -> clopos_nb.Session:
    return clopos_nb.open_snapshot(path)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# -------------------------------------------------------------------------- the same frames


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_what_the_server_gave_with_pseudonyms(maker, replay, table):
    table_ = CATALOGUE[table]
    days = (START, END) if table_.dated else ()
    expected = maker.frame(table, *days, personal="hash", progress=False)
    found = replay.frame(table, *days)
    same(found, expected)
    assert len(found)
    certificate = found.attrs["clopos"]
    facts = ("brand", "table", "endpoint", "start", "end", "complete", "personal")
    assert [certificate[f] for f in facts] == [expected.attrs["clopos"][f] for f in facts]
    assert (certificate["source"], certificate["requests"]) == ("snapshot", 0)


READINGS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("orders", "2026-01-06"), {}),  # an instant, whose day only the server knows
    (("order_products", "2026-01-05", "2026-01-06"), {"venues": [3, 1]}),
    (("receipts", "yesterday"), {}),
    (("receipt_products", START, END), {"day": "shift_date"}),
    (("receipts", "2026-01-06"), {"filters": {"status": 2, "source": ["pos", "web"]}}),
    (("receipt_payments", "2026-01-06"), {"filters": {"sale_type_id": 2}}),
    (("receipts", START, END), {"columns": ["total", "venue", "address"], "limit": 7}),
    (("receipts", START, END), {"money": "decimal", "dtype_backend": "pyarrow"}),
    (("receipts", START, END), {"categorical": True, "refresh": "full"}),
    (("users",), {"money": "decimal"}),
]


@pytest.mark.parametrize(("asked", "options"), READINGS, ids=str)
def test_any_part_of_it_is_what_the_server_gives(maker, replay, asked, options):
    expected = maker.frame(*asked, **options, personal="hash", progress=False)
    found = replay.frame(*asked, **options)
    same(found, expected)
    assert len(found)
    facts = ("cut", "complete", "limit", "filters", "day")
    for fact in facts:
        assert found.attrs["clopos"][fact] == expected.attrs["clopos"][fact]


def test_venues_and_several_tables_answer_as_ever(maker, replay):
    assert [(v.id, v.name, v.is_main) for v in replay.venues] == [
        (v.id, v.name, v.is_main) for v in maker.venues
    ]
    same(
        replay.venue("Sahil").frame("products"),
        maker.venue("Sahil").frame("products", personal="hash"),
    )
    names = ["receipts", "receipt_products", "orders"]
    found = replay.venue(2).frames(names, START)
    expected = maker.venue(2).frames(names, START, personal="hash")
    assert list(found) == names
    for name in names:
        same(found[name], expected[name])


def test_joins_by_a_phone_still_work(maker, replay):
    def joined(session: clopos_nb.Session, **options: Any) -> pd.DataFrame:
        frames = session.frames(["orders", "customers"], START, END, progress=False, **options)
        phones = frames["customers"].dropna(subset="phone")
        found = frames["orders"].merge(phones, left_on="payload_customer_phone", right_on="phone")
        return found[["id_x", "id_y"]]

    plain = joined(maker)
    assert len(plain) > 10
    same(joined(replay), plain)


def test_a_snapshot_made_from_a_store_or_another_snapshot_gives_the_same_frames(
    sandbox, open_session, maker, replay, tmp_path
):
    pytest.importorskip("deltalake")
    key = maker._reads.pseudonyms.path
    stored = open_session(
        sandbox, store=tmp_path / "store", timezone="Asia/Baku", pseudonym_key=key
    )
    stored.frames(["orders", "receipts"], START, END, progress=False)
    for number, session in enumerate([stored, replay]):
        again = session.snapshot(tmp_path / f"{number}.zip", ["orders", "receipts"], "2026-01-06")
        found = clopos_nb.open_snapshot(again)
        for table in ("orders", "receipts"):
            expected = replay.frame(table, "2026-01-06")
            same(found.frame(table, "2026-01-06")[expected.columns], expected)


# --------------------------------------------------------------------------- what it hides


def everything_in(path: Path) -> list[bytes]:
    """Return all that is in a file: as it is, and each member, unpacked and decoded."""
    found = [path.read_bytes()]
    with zipfile.ZipFile(path) as zipped:
        for name in zipped.namelist():
            content = zipped.read(name)
            found += [name.encode(), content]
            if name.endswith(".parquet"):
                found.append(repr(pq.read_table(io.BytesIO(content)).to_pydict()).encode())
    return found


@pytest.mark.parametrize("personal", ["hash", "drop"])
def test_nobody_is_in_any_byte_of_it(maker, tmp_path, personal):
    path = maker.snapshot(tmp_path / "x.zip", TABLES, START, END, personal=personal, progress=False)
    marks = set()
    for table in ("customers", "users", "orders", "receipts"):
        days = (START, END) if CATALOGUE[table].dated else ()
        frame = maker.frame(table, *days, progress=False)
        for column in CATALOGUE[table].shown:
            if column.personal and column.name in frame:
                marks |= {str(value) for value in frame[column.name].dropna()}
    marks = {mark for mark in marks if len(mark) > 5}
    assert len(marks) > 500
    content = b"\n".join(everything_in(path)).decode("utf-8", "replace")
    assert [mark for mark in marks if mark in content] == []
    key = maker._reads.pseudonyms.path.read_bytes()
    assert key not in b"".join(everything_in(path))


def test_nobody_planted_where_no_page_looks_is_in_it(faulty, visitor, envelope, tmp_path):
    person = {"name": "Aygun Planted", "phone": "+994505554433", "telegram": "@aygun_planted"}
    faulty.on("/customers", envelope({"id": 1, **person, "friends": [{"phone": "0705554433"}]}))
    faulty.on(
        "/suppliers", envelope({"id": 1, "owner": {"called": "Aygun Planted"}, "tel": 994505554433})
    )
    path = visitor.snapshot(tmp_path / "x.zip", ["customers", "/suppliers"])
    content = b"\n".join(everything_in(path)).lower()
    assert [mark for mark in (b"planted", b"5554433") if mark in content] == []
    hashed = clopos_nb.open_snapshot(path).frame("customers")
    assert hashed["id"].tolist() == [1]


def test_what_was_hidden_is_not_to_be_had_and_what_was_kept_can_be_hidden(maker, replay, tmp_path):
    with pytest.raises(ConfigError, match="saved with personal='hash'"):
        replay.frame("customers", personal="keep")
    assert "phone" not in replay.frame("customers", personal="drop")
    same(replay.frame("customers", personal="hash"), replay.frame("customers"))
    with pytest.raises(SnapshotError, match=r"customers\.code is not in this snapshot as it was"):
        replay.frame("customers", filters={"code": "x"})
    kept = maker.snapshot(tmp_path / "x.zip", "customers", personal="keep", progress=False)
    opened = clopos_nb.open_snapshot(kept)
    same(opened.frame("customers"), maker.frame("customers", progress=False))
    hashed = opened.frame("customers", personal="hash")
    assert hashed["phone"].dropna().str.startswith("p_").all()


def test_a_session_that_drops_makes_snapshots_that_do(sandbox, open_session, tmp_path):
    session = open_session(sandbox, personal="drop")
    opened = clopos_nb.open_snapshot(session.snapshot(tmp_path / "x.zip", "customers"))
    assert opened.frame("customers").attrs["clopos"]["personal"] == "drop"
    assert "phone" not in opened.frame("customers")


# ------------------------------------------------------------------------- what it holds not


NOT_HELD: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    (("price_lists",), {}, "does not hold price_lists; it holds .*receipts"),
    (("receipts", "2026-01-09"), {}, "receipts of 2026-01-09 to 2026-01-09; it holds"),
    (("orders", "2026-01"), {}, "of 2026-01-05 to 2026-01-07"),
    (("orders",), {}, "does not hold all days of orders"),
    (("categories",), {}, "does not hold categories"),
]


@pytest.mark.parametrize(("asked", "options", "said"), NOT_HELD, ids=str)
def test_what_is_not_held_is_an_error_that_names_what_is(replay, asked, options, said):
    with pytest.raises(SnapshotError, match=said):
        replay.frame(*asked, **options)


def test_a_venue_or_a_parent_that_is_not_held_is_not_left_out_in_silence(maker, tmp_path):
    path = maker.snapshot(tmp_path / "x.zip", "receipt_products", START, venues=[2], progress=False)
    opened = clopos_nb.open_snapshot(path)
    expected = maker.venue(2).frame("receipt_products", START, personal="hash")
    same(opened.venue(2).frame("receipt_products", START), expected)
    with pytest.raises(SnapshotError, match=r"receipt_products of .*; it holds .* of 2 "):
        opened.frame("receipt_products", START)
    for call in ({}, {"filters": {"status": 2}}):
        with pytest.raises(SnapshotError, match="does not hold receipts"):
            opened.venue(2).frame("receipt_products" if call else "receipts", START, **call)


def test_what_needs_a_server_says_that_there_is_none(replay):
    calls: list[Callable[[], Any]] = [
        lambda: replay.get("/venues"),
        lambda: replay.request("POST", "/orders", json={}),
        lambda: replay.estimate("receipts", START),
        replay.login,
        replay.doctor,
    ]
    for call in calls:
        with pytest.raises(ConfigError, match=r"days\.zip is a snapshot, with no server behind it"):
            call()
    assert "days.zip" in replay._repr_html_()
    assert replay.token is None


# ------------------------------------------------------------------------------ the file


def test_a_file_that_is_there_stays_unless_told_and_no_request_is_made(faulty, visitor, tmp_path):
    path = tmp_path / "x.zip"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        visitor.snapshot(path, "customers")
    with pytest.raises(ConfigError, match="There is no folder"):
        visitor.snapshot(tmp_path / "none" / "x.zip", "customers")
    with pytest.raises(ConfigError, match="of orders needs days"):
        visitor.snapshot(tmp_path / "new.zip", "orders")
    assert path.read_text() == "mine"
    assert [r.path for r in faulty.seen if "customers" in r.path or "orders" in r.path] == []


def test_what_is_not_complete_is_not_written_and_the_old_file_stays(
    faulty, visitor, envelope, tmp_path
):
    path = tmp_path / "x.zip"
    faulty.on("/customers", envelope({"id": 1}))
    visitor.snapshot(path, "customers")
    before = path.read_bytes()
    faulty.on("/customers", envelope({"id": 1}, total=3))
    with pytest.raises(IncompleteResult):
        visitor.snapshot(path, "customers", force=True)
    assert path.read_bytes() == before
    faulty.on("/customers", envelope({"id": 1}, {"id": 2}))
    visitor.snapshot(path, "customers", force=True)
    assert len(clopos_nb.open_snapshot(path).frame("customers")) == 2
    assert {each.name for each in tmp_path.iterdir()} - {"cache", "pseudonyms.key"} == {"x.zip"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# ----------------------------------------------------------------------- a file of somebody's


@pytest.fixture
def altered(path, tmp_path) -> Callable[..., Path]:
    """Return a function that writes a snapshot again with other members, or other ways."""

    def alter(change: Callable[[dict[str, bytes]], None], packed: int = zipfile.ZIP_STORED) -> Path:
        with zipfile.ZipFile(path) as zipped:
            members = {name: zipped.read(name) for name in zipped.namelist()}
        change(members)
        other = tmp_path / "altered.zip"
        with zipfile.ZipFile(other, "w", packed) as zipped:
            for name, content in members.items():
                zipped.writestr(name, content)
        return other

    return alter


def told(members: dict[str, bytes], **facts: Any) -> None:
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = json.dumps(manifest | facts).encode()


def file_of(members: dict[str, bytes], table: str) -> str:
    return next(name for name in members if name.endswith(f"-{table}.parquet"))


def rename(members: dict[str, bytes], name: str) -> None:
    old = file_of(members, "customers")
    members[name] = members.pop(old)
    members["manifest.json"] = members["manifest.json"].replace(old.encode(), name.encode())


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "no manifest": (lambda m: m.pop("manifest.json"), "no manifest.json"),
    "a manifest that is none": (lambda m: m.update({"manifest.json": b"{]"}), "cannot be read"),
    "a deep manifest": (lambda m: m.update({"manifest.json": b"[" * 10**6}), "cannot be read"),
    "a manifest without end": (lambda m: m.update({"manifest.json": b" " * 2**27}), "too large"),
    "a newer format": (lambda m: told(m, format=2, made_by="9.1"), "made by clopos_nb 9.1.*update"),
    "other types": (lambda m: told(m, endpoints=[]), "cannot be read"),
    "a place for a time zone": (lambda m: told(m, timezone="../../etc"), "cannot be read"),
    "another way with people": (lambda m: told(m, personal="none"), "cannot be read"),
    "a file too many": (lambda m: m.update({"run.py": b"1/0"}), "not those of the manifest"),
    "a file too few": (lambda m: m.pop(file_of(m, "customers")), "not those of the manifest"),
    "a way out": (lambda m: rename(m, "../../customers.parquet"), "a file is called"),
    "an absolute place": (lambda m: rename(m, "/customers.parquet"), "a file is called"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_hostile_or_foreign_zip_is_refused_when_it_is_opened(altered, change):
    alter, said = CHANGES[change]
    with pytest.raises(SnapshotError, match=said):
        clopos_nb.open_snapshot(altered(alter))


def test_packed_members_are_refused(altered):
    with pytest.raises(SnapshotError, match="is packed"):
        clopos_nb.open_snapshot(altered(lambda _: None, zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nothing of the kind" * 99], ids=len)
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(SnapshotError, match="is no snapshot of this package, or damaged"):
        clopos_nb.open_snapshot(tmp_path / "x.zip")
    with pytest.raises(SnapshotError, match="cannot be read"):
        clopos_nb.open_snapshot(tmp_path / "none.zip")


def parquet(rows: pa.Table, **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(rows, stream, **options)
    return stream.getvalue()


def customers(members: dict[str, bytes]) -> pa.Table:
    return pq.read_table(io.BytesIO(members[file_of(members, "customers")]))


def as_dictionaries(rows: pa.Table) -> bytes:
    bomb = pa.array(["x" * 10**6] * rows.num_rows, pa.large_string())
    return parquet(rows.append_column("bomb", bomb), use_dictionary=True)


ZEROS = 2_000_000


def as_zeros(rows: pa.Table) -> bytes:
    """Return a file that unpacks to thousands of times its size."""
    zeros = pa.array([0.0]).take(pa.nulls(ZEROS, pa.int64()).fill_null(0))
    columns = {f"zeros_{number}": zeros for number in range(8)}
    days = {
        name: pa.nulls(ZEROS, rows.schema.field(name).type) for name in ("store_venue", "store_day")
    }
    return parquet(pa.table(columns | days), use_dictionary=False, compression="zstd")


BODIES: dict[str, Callable[[pa.Table], bytes]] = {
    "no parquet": lambda rows: b"PAR1 and nothing else PAR1",
    "rows missing": lambda rows: parquet(rows.slice(1), use_dictionary=False),
    "nested": lambda rows: parquet(
        rows.append_column("deep", pa.array([[{"a": 1}]] * rows.num_rows)), use_dictionary=False
    ),
    "no venue": lambda rows: parquet(rows.drop_columns("store_venue"), use_dictionary=False),
    "dictionaries": as_dictionaries,
    "zeros": as_zeros,
}


@pytest.mark.parametrize("body", BODIES)
def test_a_table_that_is_not_what_it_should_be_is_refused_when_it_is_read(altered, body):
    def change(members: dict[str, bytes]) -> None:
        content = BODIES[body](customers(members))
        members[file_of(members, "customers")] = content
        if body == "zeros":
            manifest = json.loads(members["manifest.json"])
            manifest["endpoints"]["customers"]["tables"]["customers"]["rows"] = ZEROS
            members["manifest.json"] = json.dumps(manifest).encode()

    opened = clopos_nb.open_snapshot(altered(change))
    assert len(opened.frame("receipts", START))
    with pytest.raises(SnapshotError, match="damaged"):
        opened.frame("customers")


def test_a_flipped_byte_is_noticed(path, tmp_path):
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as zipped:
        info = zipped.getinfo(next(n for n in zipped.namelist() if n.endswith("-receipts.parquet")))
    content[info.header_offset + info.compress_size // 2] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(bytes(content))
    with pytest.raises(SnapshotError, match="damaged"):
        clopos_nb.open_snapshot(tmp_path / "x.zip").frame("receipts", START)


# --------------------------------------------------------------------------- a notebook

CELLS = f"""
receipts = session.frame("receipts", "{START}", "{END}", day="shift_date", progress=False)
print(receipts.groupby("venue")["total"].sum().round(2).to_dict())
---
frames = session.frames(["orders", "customers"], "{START}", progress=False)
orders = frames["orders"].merge(
    frames["customers"], left_on="payload_customer_phone", right_on="phone")
print(len(orders), orders["id_y"].nunique(), orders.groupby("group_id").size().to_dict())
---
print([(venue.id, venue.name, len(venue.frame("receipt_products", "yesterday")))
       for venue in session.venues], session.venue("Sahil").id)
---
print(receipts.attrs["clopos"]["complete"], receipts.dtypes.astype(str).to_dict())
"""


def printed(first: str) -> list[str]:
    """Run the notebook in a kernel, after a first cell, and return what its cells print."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in (first, *CELLS.split("---"))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [output.get("text", "") for cell in notebook.cells[1:] for output in cell.outputs]


def test_the_same_notebook_prints_the_same_figures_without_credentials(
    sandbox, path, monkeypatch, tmp_path
):
    first = (
        "import clopos_nb, datetime\n"
        "session = clopos_nb.Session(timezone='Asia/Baku', today=datetime.date(2026, 1, 8))"
    )
    with monkeypatch.context() as patch:
        for name, value in {"base_url": sandbox.url, **sandbox.credentials}.items():
            patch.setenv(f"CLOPOS_{name.upper()}", value)
        online = printed(first)
    requests = len(sandbox.requests)
    replayed = printed(f"import clopos_nb\nsession = clopos_nb.open_snapshot({str(path)!r})")
    assert replayed == online
    assert len(online) == 4
    assert all(text.strip() for text in online)
    assert len(sandbox.requests) == requests
