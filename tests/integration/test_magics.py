"""``%clopos`` in a real IPython shell."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

import clopos_nb


@pytest.fixture
def notebook(shell):
    """Return the shell with the magic loaded and no variable called session."""
    shell.extension_manager.load_extension("clopos_nb")
    shell.user_ns.pop("session", None)
    yield shell
    shell.user_ns.pop("session", None)


@pytest.fixture
def clopos(notebook, reader):
    """Return a function that runs a line of the magic on the test brand."""
    notebook.user_ns["session"] = reader
    return lambda line: notebook.run_line_magic("clopos", line)


def test_venues_tables_and_quota_are_shown_as_the_session_has_them(clopos, reader):
    assert clopos("venues") is reader.venues
    assert clopos("tables") is reader.tables
    assert clopos("quota") is reader.quota
    assert clopos("") is reader


def test_login_logs_in_and_shows_the_session(notebook, faulty, visitor):
    notebook.user_ns["session"] = visitor
    assert notebook.run_line_magic("clopos", "login") is visitor
    assert faulty.count("/auth") == 1


def test_a_table_is_read_for_one_venue_into_a_variable(notebook, clopos, reader):
    name = reader.venue(3).name
    assert clopos(f'receipts 2026-01-05 --venue "{name}" --into df') is None
    assert notebook.user_ns["df"].equals(reader.venue(3).frame("receipts", "2026-01-05"))


def test_a_table_is_read_for_every_venue_and_shown(clopos, reader):
    frame = clopos("receipts 2026-01-05 2026-01-06")
    assert frame.equals(reader.frame("receipts", "2026-01-05", "2026-01-06"))


def test_several_venues_filters_days_and_a_limit_are_what_frame_takes(clopos, reader):
    frame = clopos(
        "receipts '2026-01' --venues 1 3 --day shift_date --filter sale_type_id=2 --limit 5"
    )
    expected = reader.frame(
        "receipts",
        "2026-01",
        venues=[1, 3],
        day="shift_date",
        filters={"sale_type_id": 2},
        limit=5,
    )
    assert len(frame)
    assert frame.equals(expected)


def test_a_filter_that_is_repeated_takes_any_of_its_values(clopos, reader):
    frame = clopos("receipts 2026-01-05 --filter sale_type_id=2 --filter sale_type_id=1")
    day = reader.frame("receipts", "2026-01-05")
    expected = day[day["sale_type_id"].isin([1, 2])]
    assert set(frame["sale_type_id"]) == {1, 2}
    assert frame["id"].tolist() == expected["id"].tolist()


def test_venues_with_a_name_to_keep_them_under_are_a_frame(notebook, clopos):
    clopos("venues --into known")
    assert notebook.user_ns["known"]["id"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("receipts --venue Atlantis", clopos_nb.VenueNotFound, "No venue 'Atlantis'"),
        ("recipts", clopos_nb.UnknownTable, "did you mean 'receipts'"),
        ("receipts someday", clopos_nb.InvalidDates, "'someday' is not a day"),
        ("quota 3", UsageError, "%clopos quota takes nothing else"),
        ("login --limit 3", UsageError, "%clopos login takes nothing else"),
        ("receipts --venue 1 --venues 2", UsageError, "not both"),
        ("receipts --into 2x", UsageError, "no name of a variable"),
        ("receipts --into class", UsageError, "no name of a variable"),
        ("receipts --filter status", UsageError, "--filter field=value"),
        ("receipts --day monday", UsageError, "shift_date"),
        ("receipts --nonsense", UsageError, "--nonsense"),
    ],
)
def test_a_wrong_line_stops_the_cell_with_a_sentence(notebook, reader, line, kind, said):
    notebook.user_ns["session"] = reader
    result = notebook.run_cell(f"went_on = False\n%clopos {line}\nwent_on = True", silent=True)
    assert type(result.error_in_exec) is kind
    assert said in str(result.error_in_exec)
    assert notebook.user_ns["went_on"] is False


def test_a_session_is_made_and_kept_when_there_is_none(notebook, sandbox, monkeypatch):
    for name, value in sandbox.credentials.items():
        monkeypatch.setenv(f"CLOPOS_{name.upper()}", value)
    monkeypatch.setenv("CLOPOS_BASE_URL", sandbox.url)
    assert len(notebook.run_line_magic("clopos", "venues")) == 4
    made = notebook.user_ns["session"]
    assert notebook.run_line_magic("clopos", "") is made
    made.close()


def test_somebody_elses_variable_called_session_is_left_alone(notebook):
    notebook.user_ns["session"] = other = object()
    with pytest.raises(UsageError, match="is a object, not a"):
        notebook.run_line_magic("clopos", "venues")
    assert notebook.user_ns["session"] is other


# ---------------------------------------------------------------------------- completion


@pytest.fixture
def known(notebook, reader):
    """Return the names of the brand's venues, which the session has read."""
    notebook.user_ns["session"] = reader
    return [venue.name for venue in reader.venues]


def test_what_to_show_and_tables_are_completed(completions, known):
    for line in ("%clopos ven", "%clopos rec", "%clopos ord"):
        assert [each for each in completions(line) if not each.startswith(line)] == []
    assert "%clopos venues" in completions("%clopos ")
    assert "%clopos receipt_products" in completions("%clopos rec")
    assert "%clopos receipts --into" in completions("%clopos receipts --in")


def test_a_tab_right_after_the_magic_is_no_error(completions, known, capsys):
    assert completions("%clopos") == ["%clopos"]
    assert "Traceback" not in "".join(capsys.readouterr())


def test_venues_are_completed_after_their_option(completions, known):
    assert any(" " in name for name in known)
    for name in known:
        written = f'"{name}"' if " " in name else name
        assert f"%clopos receipts --venue {written}" in completions("%clopos receipts --venue ")
        begun = f'%clopos receipts --venues 1 "{name[:-2]}'
        assert f'%clopos receipts --venues 1 "{name}"' in completions(begun)


def test_venues_are_completed_in_brackets_of_the_session(completions, known):
    for name in known:
        begun = f'picked = session.venues["{name[:4]}'
        assert f'picked = session.venues["{name}' in completions(begun)


@pytest.mark.parametrize("line", ["%clopos receipts --venue ", 'session.venues["', "%clopos "])
def test_completion_sends_nothing(notebook, completions, faulty, visitor, line):
    notebook.user_ns["session"] = visitor
    completions(line)
    assert faulty.seen == []
