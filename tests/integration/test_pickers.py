"""Pickers, driven as plain Python objects and with the messages that a browser sends."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
import traitlets
from ipywidgets import DOMWidget, Output, Password

import clopos_nb
from clopos_nb.widgets import DatesPicker, Picker, TablePicker, VenuePicker, VenuesPicker


@pytest.fixture
def venue(reader) -> VenuePicker:
    return reader.pick_venue()


@pytest.fixture
def venues(reader) -> VenuesPicker:
    return reader.pick_venues()


@pytest.fixture
def dates(session) -> DatesPicker:
    return session.pick_dates()


@pytest.fixture
def table(reader) -> TablePicker:
    return reader.pick_table()


@pytest.fixture
def named(faulty, visitor, envelope):
    """Return a function that opens a session on a brand with venues of these names."""

    def open_(*names: str, main: int = 0) -> clopos_nb.Session:
        rows = [{"id": 10 + i, "name": name, "is_main": i == main} for i, name in enumerate(names)]
        faulty.on("/venues", envelope(*rows))
        return visitor

    return open_


def does(picker: Picker) -> Any:
    """Return what the picker's code does, where its session is called ``session``."""
    return eval(picker.code, {"session": picker._session})


def control(picker: Picker, description: str) -> Any:
    """Return the control that people see under this label."""
    (found,) = [w for w in picker.children if getattr(w, "description", "") == description]
    return found


def choose(picker: Picker, description: str, *labels: str) -> None:
    """Choose in a list as a browser does: by a message with places."""
    widget = control(picker, description)
    offered = [option if isinstance(option, str) else option[0] for option in widget.options]
    places = [offered.index(label) for label in labels]
    several = "Multiple" in widget._model_name
    widget.set_state({"index": places if several else places[0]})


def shown(picker: VenuesPicker) -> list[str]:
    return [label for label, _ in control(picker, "Venues").options]


def ids(picker: VenuesPicker) -> list[int]:
    return [venue.id for venue in picker.venues]


# --------------------------------------------------------------------------------- all


PICKERS = ["pick_venue", "pick_venues", "pick_dates", "pick_table"]


@pytest.fixture(params=PICKERS)
def picker(request, reader) -> Picker:
    return getattr(reader, request.param)()


def test_every_control_has_a_label_and_a_tooltip(picker):
    for each in picker._controls:
        assert each.description
        assert each.tooltip


def test_a_picker_can_be_switched_off_and_on(picker):
    picker.disabled = True
    assert all(each.disabled for each in picker._controls)
    picker.disabled = False
    assert not any(each.disabled for each in picker._controls)


def test_a_picker_holds_no_password_and_no_output_widget(picker):
    assert not [each for each in picker.children if isinstance(each, Password | Output)]
    assert all(isinstance(each, DOMWidget) for each in picker.children)


def test_what_a_browser_is_sent_holds_no_secret(picker, sandbox):
    sent = str([each.get_state() for each in [picker, *picker.children]])
    assert "eyJ" not in sent
    assert not [key for key in sandbox.credentials if key in sent]
    assert sandbox.credentials["client_secret"] not in sent


def test_a_picker_shows_itself_in_one_line_without_a_model_id(picker):
    plain = picker._repr_mimebundle_()["text/plain"]
    assert plain == repr(picker)
    assert len(plain) < 110
    assert picker.model_id not in plain


# ----------------------------------------------------------------------------- a venue


def test_the_first_choice_is_the_venue_that_a_session_means(reader, venue):
    assert venue.venue == reader.venue()
    assert repr(venue) == f"VenuePicker({venue.venue.id}, {venue.venue.name!r})"


def test_the_main_venue_comes_first_and_the_others_as_the_brand_lists_them(named):
    picker = named("Gənclik", "Sahil <3>", "Nizami", main=2).pick_venue()
    assert [label for label, _ in control(picker, "Venue").options] == [
        "Nizami",
        "Gənclik",
        "Sahil <3>",
    ]


def test_choosing_in_the_browser_changes_the_trait(venue):
    told = []
    venue.observe(lambda change: told.append(change.new.id), "venue")
    (label, third) = control(venue, "Venue").options[2]
    choose(venue, "Venue", label)
    assert venue.venue is third
    assert told == [third.id]


@pytest.mark.parametrize("kind", ["id", "name"])
def test_a_venue_is_set_by_id_or_name_and_the_control_follows(venue, reader, kind):
    third = list(reader.venues)[2]
    venue.venue = getattr(third, kind)
    assert venue.venue is third
    assert control(venue, "Venue").value is third


def test_an_unknown_venue_is_refused_and_the_former_stays(venue):
    former = venue.venue
    with pytest.raises(clopos_nb.VenueNotFound, match="No venue 'Atlantis'"):
        venue.venue = "Atlantis"
    assert venue.venue is former
    assert control(venue, "Venue").value is former


def test_a_first_choice_can_be_named(reader):
    assert reader.pick_venue(3).venue.id == 3
    with pytest.raises(clopos_nb.VenueNotFound):
        reader.pick_venue(999)


def test_the_code_of_a_venue_is_that_venue(venue):
    venue.venue = 3
    assert venue.code == "session.venue(3)"
    assert does(venue) is venue.venue


def test_two_venues_of_one_name_can_be_told_apart(named):
    picker = named("Nizami", "Sahil", "Sahil").pick_venue()
    choose(picker, "Venue", "Sahil (12)")
    assert picker.venue.id == 12


def test_two_pickers_can_be_linked(reader):
    one, other = reader.pick_venue(1), reader.pick_venue(2)
    traitlets.link((one, "venue"), (other, "venue"))
    assert other.venue.id == 1
    other.venue = 3
    assert one.venue.id == 3


# ------------------------------------------------------------------------- some venues


def test_all_venues_are_chosen_at_first(venues, reader):
    assert venues.venues == tuple(reader.venues)
    assert venues.wanted == "all"
    assert control(venues, "All 4 venues").value is True
    assert venues.code == 'session.venues.chosen("all")'


def test_venues_are_set_as_a_read_takes_them(venues, reader):
    last = list(reader.venues)[-1]
    for wanted, expected in [
        ([3, 1], [1, 3]),
        (last.name, [last.id]),
        ("all", [v.id for v in reader.venues]),
        ([last], [last.id]),
        ((), []),
    ]:
        venues.venues = wanted
        assert ids(venues) == expected
        assert [venue.id for venue in does(venues)] == expected
        assert [venue.id for venue in control(venues, "Venues").value] == expected
        assert control(venues, "All 4 venues").value is (len(expected) == 4)


def test_the_venues_wanted_are_what_a_read_takes(venues):
    venues.venues = [2, 3]
    frame = venues._session.frame("receipts", "2026-01-05", venues=venues.wanted)
    again = venues._session.frame("receipts", "2026-01-05", venues=does(venues))
    assert set(frame["venue_id"]) == {2, 3}
    assert frame.equals(again)


def test_an_unknown_venue_among_several_is_refused_and_the_former_stay(venues):
    venues.venues = [2]
    with pytest.raises(clopos_nb.VenueNotFound, match="No venue 999"):
        venues.venues = [1, 999]
    with pytest.raises(clopos_nb.ConfigError, match="expected 'all'"):
        venues.venues = 1.5
    assert ids(venues) == [2]
    assert repr(venues).startswith("VenuesPicker(1 of 4: 2 ")


def test_all_and_none_are_one_click_each(venues):
    box = control(venues, "All 4 venues")
    box.set_state({"value": False})
    assert venues.venues == ()
    assert venues.code == "[]"
    assert repr(venues) == "VenuesPicker(0 of 4: )"
    box.set_state({"value": True})
    assert venues.wanted == "all"


def test_marking_in_the_list_chooses_and_unticks_all(venues):
    labels = shown(venues)
    choose(venues, "Venues", labels[0], labels[2])
    assert ids(venues) == [1, 3]
    assert control(venues, "All 4 venues").value is False
    choose(venues, "Venues", *labels)
    assert control(venues, "All 4 venues").value is True


def test_a_choice_is_told_once(venues):
    told = []
    venues.observe(lambda change: told.append(len(change.new)), "venues")
    choose(venues, "Venues", shown(venues)[1])
    control(venues, "Search").set_state({"value": "zzz"})
    control(venues, "Search").set_state({"value": ""})
    assert told == [1]


def test_a_search_shows_some_and_keeps_what_it_hides(named):
    picker = named("Nizami", "Sahil", "Gənclik", "Sahil park").pick_venues([10, 12])
    control(picker, "Search").set_state({"value": "SAH"})
    assert shown(picker) == ["Sahil", "Sahil park"]
    assert ids(picker) == [10, 12]
    choose(picker, "Venues", "Sahil park")
    assert ids(picker) == [10, 12, 13]
    assert "2 of them not shown" in picker._count.value
    control(picker, "Search").set_state({"value": ""})
    assert [venue.id for venue in control(picker, "Venues").value] == [10, 12, 13]
    assert picker._count.value == '<span role="status">3 of 4 venues chosen</span>'


def test_all_that_a_search_finds_are_one_click(named):
    picker = named("Nizami", "Sahil", "Gənclik", "Sahil park").pick_venues(())
    control(picker, "Search").set_state({"value": "sahil"})
    control(picker, "All 2 found").set_state({"value": True})
    assert ids(picker) == [11, 13]
    control(picker, "Search").set_state({"value": "n"})
    control(picker, "All 2 found").set_state({"value": True})
    assert picker.wanted == "all"
    control(picker, "All 2 found").set_state({"value": False})
    assert ids(picker) == [11, 13]


def test_a_search_that_finds_nothing_offers_nothing(named):
    picker = named("Nizami", "Sahil").pick_venues([11])
    control(picker, "Search").set_state({"value": "zzz"})
    box = control(picker, "All 0 found")
    assert box.value is False
    box.set_state({"value": True})
    assert ids(picker) == [11]
    assert box.value is False


def test_what_is_marked_in_a_search_replaces_all(named):
    picker = named("Nizami", "Sahil", "Gənclik").pick_venues()
    control(picker, "Search").set_state({"value": "genc"})
    picker.venues = "all"
    choose(picker, "Venues")
    choose(picker, "Venues", "Gənclik")
    assert ids(picker) == [12]


def test_a_brand_of_five_hundred_venues_opens_with_one_request(named, faulty):
    session = named(*[f"Branch {i} of Bakı" for i in range(500)])
    session.login()
    before, began = len(faulty.seen), time.perf_counter()
    picker = session.pick_venues()
    session.pick_venue()
    assert time.perf_counter() - began < 1
    assert len(faulty.seen) - before == 1
    control(picker, "Search").set_state({"value": "branch 49"})
    assert len(shown(picker)) == 11
    assert len(faulty.seen) - before == 1
    assert len(repr(picker)) < 110


# -------------------------------------------------------------------------------- days


def test_the_first_choice_of_days_is_the_sessions_yesterday(dates, sandbox):
    yesterday = sandbox.today - dt.timedelta(days=1)
    assert (dates.start, dates.end) == (yesterday, yesterday)
    assert control(dates, "Days").value == "yesterday"


@pytest.mark.parametrize("preset", ["today", "yesterday", "last 7 days", "this week", "last month"])
def test_a_preset_is_the_same_days_as_in_a_read(dates, preset):
    choose(dates, "Days", "custom")
    choose(dates, "Days", preset)
    assert dates.days == (dates.start, dates.end) == dates._session._reads.days(preset)
    assert (control(dates, "From").value, control(dates, "To").value) == dates.days
    assert control(dates, "Days").value == preset


def test_custom_changes_no_day(dates):
    former = dates.days
    choose(dates, "Days", "custom")
    assert dates.days == former


def test_days_are_set_as_a_read_takes_them(dates):
    dates.days = "2026-01"
    assert dates.days == (dt.date(2026, 1, 1), dt.date(2026, 1, 31))
    dates.days = ("2025-12-30", "2026-01-02")
    assert (dates.start, dates.end) == (dt.date(2025, 12, 30), dt.date(2026, 1, 2))
    assert control(dates, "Days").value == "custom"
    dates.end = "2026-01-05"
    dates.start = dt.date(2026, 1, 1)
    assert dates.days == (dt.date(2026, 1, 1), dt.date(2026, 1, 5))
    assert repr(dates) == "DatesPicker('2026-01-01', '2026-01-05')"


def test_days_that_cannot_be_are_refused_and_the_former_stay(dates):
    dates.days = ("2026-01-10", "2026-01-20")
    for trait, wrong in [
        ("start", "2026-01-21"),
        ("end", "2026-01-09"),
        ("start", None),
        ("start", "soon"),
        ("days", ("2026-02-01", "2026-01-01")),
        ("days", "2026-13"),
        ("days", None),
    ]:
        with pytest.raises(clopos_nb.InvalidDates):
            setattr(dates, trait, wrong)
        assert repr(dates) == "DatesPicker('2026-01-10', '2026-01-20')"
        assert dates.days == (dates.start, dates.end)
        assert (control(dates, "From").value, control(dates, "To").value) == dates.days


def press(picker: DatesPicker, description: str, *keys: str) -> None:
    """Send the dates that a browser sends while one is typed; "" where it is no date yet."""
    for key in keys:
        year, month, day = map(int, key.split("-")) if key else (0, 0, 0)
        value = {"year": year, "month": month - 1, "date": day} if key else None
        control(picker, description).set_state({"value": value})


def test_a_day_can_be_typed_key_by_key(dates):
    dates.days = ("2026-01-10", "2026-01-20")
    told = []
    dates.observe(lambda change: told.append(change.new), "days")
    press(dates, "To", "2026-01-02", "2026-01-25", "0002-01-25", "0202-01-25", "", "2026-01-25")
    assert told == [(dt.date(2026, 1, 10), dt.date(2026, 1, 25))]
    press(dates, "From", "0020-01-10", "2025-01-10")
    assert dates.days == (dt.date(2025, 1, 10), dt.date(2026, 1, 25))
    assert dates._note.value == ""


@pytest.mark.parametrize(
    ("typed", "said"),
    [("2026-01-21", "The end, 2026-01-20, lies before"), ("", "Both days"), ("0026-01-01", "Both")],
)
def test_days_that_cannot_be_taken_over_are_told_and_the_former_stay(dates, typed, said):
    dates.days = former = (dt.date(2026, 1, 10), dt.date(2026, 1, 20))
    press(dates, "From", typed)
    assert dates.days == former
    assert said in dates._note.value
    assert "Still chosen: 2026-01-10 to 2026-01-20" in dates._note.value
    dates.days = "2026-01"
    press(dates, "From", typed)
    choose(dates, "Days", "custom")
    choose(dates, "Days", "last month")  # which it is already
    assert dates._note.value == ""
    assert control(dates, "From").value == dt.date(2026, 1, 1)


def test_a_change_of_days_is_told_once(dates):
    told = []
    dates.observe(lambda change: told.append(change.new), "days")
    dates.days = ("2030-01-01", "2030-01-31")
    dates.days = "2020-01"
    assert [str(start) for start, _ in told] == ["2030-01-01", "2020-01-01"]


def test_linked_days_move_together_wherever_they_jump(session):
    one, other = session.pick_dates("2026-01"), session.pick_dates("today")
    traitlets.link((one, "days"), (other, "days"))
    for year in ("2030", "2020", "2026"):
        one.days = year
        assert (other.start, other.end) == one.days == session._reads.days(year)


def test_the_code_of_days_reads_the_same_frame(dates):
    dates.days = ("2026-01-05", "2026-01-06")
    assert dates.code == '("2026-01-05", "2026-01-06")'
    venue = dates._session.venue(1)
    frame = venue.frame("receipts", dates.start, dates.end)
    assert len(frame)
    assert venue.frame("receipts", *does(dates)).equals(frame)


# ------------------------------------------------------------------------------- table


def test_every_table_can_be_picked_and_says_what_it_is(table, reader):
    assert list(control(table, "Table").options) == list(reader.tables)
    for name, described in reader.tables.items():
        choose(table, "Table", name)
        assert table.table == name == does(table)
        assert described.meaning.replace("'", "&#x27;") in table._meaning.value
    assert repr(table) == f"TablePicker({name!r})"


@pytest.mark.parametrize("wrong", ["recipts", "/stock", None])
def test_an_unknown_table_is_refused_and_the_former_stays(table, wrong):
    with pytest.raises(clopos_nb.UnknownTable):
        table.table = wrong
    assert table.table == control(table, "Table").value == "receipts"


def test_pickers_of_a_table_send_nothing(faulty, visitor):
    visitor.pick_table("orders")
    visitor.pick_dates()
    assert faulty.seen == []
