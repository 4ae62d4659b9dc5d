"""What IPython completes, by its own completer."""

from __future__ import annotations

import inspect

import pytest

import clopos_nb


@pytest.fixture
def completed(shell, completions, reader):
    first = next(iter(reader.venues))
    shell.push({"session": reader, "venue": first, "venues": reader.venues})
    return completions


def test_tables_are_completed_in_brackets(completed):
    for whose in ("venue", "session"):
        assert f'{whose}.frames["orders' in completed(f'{whose}.frames["ord')
        assert not [each for each in completed(f'{whose}.frames["ord') if "receipts" in each]
    assert 'session.tables["receipt_products' in completed('session.tables["re')


def test_venues_are_completed_in_brackets(completed, reader):
    name = next(iter(reader.venues)).name
    assert f'venues["{name}' in completed(f'venues["{name[:2]}')


def test_completing_venues_that_were_not_read_sends_nothing(shell, completions, faulty, visitor):
    shell.push({"fresh": visitor})
    completions('fresh.venues["Ba')
    assert faulty.seen == []


def test_what_a_session_and_a_venue_can_do_is_completed(completed):
    assert "session.pick_venue" in completed("session.pick_v")
    assert "session.frames" in completed("session.fra")
    assert {"venue.frame", "venue.frames"} <= set(completed("venue.fr"))


@pytest.mark.parametrize("what", ["session", "venue", "venues", "tables", "frames"])
def test_private_names_are_not_listed(reader, what):
    thing = {
        "session": reader,
        "venue": reader.venue(1),
        "venues": reader.venues,
        "tables": reader.tables,
        "frames": reader.frames,
    }[what]
    assert [name for name in dir(thing) if name.startswith("_")] == []


# -------------------------------------------------------------------------- venue.frames


def test_a_table_in_brackets_reads_as_frame_does(reader):
    venue = reader.venue(2)
    assert venue.frames["orders"]("2026-01-05").equals(venue.frame("orders", "2026-01-05"))
    whole = reader.frames["receipts"]("2026-01-05", venues=[1], limit=3)
    assert whole["venue_id"].tolist() == [1, 1, 1]


def test_an_unknown_table_in_brackets_raises_at_once(faulty, visitor):
    with pytest.raises(clopos_nb.UnknownTable, match="did you mean 'orders'"):
        visitor.frames["order"]
    assert faulty.seen == []


def test_frames_shows_what_it_is_without_a_request(faulty, visitor):
    assert repr(visitor.frames) == "Session(brand='narbag').frames"
    assert repr(visitor.frames["orders"]) == "Session(brand='narbag').frame('orders', ...)"
    assert faulty.seen == []


def test_help_of_frames_names_its_parameters(shell, reader):
    shell.push({"venue": reader.venue(1)})
    told = shell.object_inspect_text("venue.frames", detail_level=0)
    assert "dtype_backend" in told
    assert "Return several tables of this venue by name" in told
    assert "money" in inspect.signature(reader.frames["orders"]).parameters
