"""Many requests at once: in order, complete or told, stopped when told, inside one budget."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import date

import pytest
from jupyter_client import KernelClient, KernelManager
from werkzeug import Request

import clopos_nb
from clopos_nb import ConfigError
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.requestlog import Entry

RANGE = ("2026-01-02", "2026-01-20")  # some twenty pages when a page holds twenty rows


@pytest.fixture(scope="module")
def busy() -> Brand:
    """Return two venues with several pages of receipts each."""
    return Brand(
        seed=5,
        venues=2,
        first_day=date(2026, 1, 1),
        last_day=date(2026, 1, 31),
        receipts_per_day=60,
    )


@pytest.fixture
def server(busy) -> Iterator[Sandbox]:
    with Sandbox(brand=busy, window_s=2) as sandbox:
        yield sandbox


# ------------------------------------------------------------------------------- order


def test_rows_come_in_the_order_that_one_request_after_the_other_gives(server, open_session):
    session = open_session(server)
    server.faults.add("limit_clamp", limit=20)
    together = session.frame("receipts", *RANGE, progress=False)
    one_by_one = [row["id"] for venue in session.venues for row in venue.rows("receipts", *RANGE)]
    assert together["id"].tolist() == one_by_one
    assert together.attrs["clopos"]["pages"] > 20


def test_several_requests_are_under_way_at_once_and_never_more_than_sixteen(faulty, visitor):
    """Each answer but the first waits until four requests are there: alone, none would end."""
    lock, under_way, met = threading.Lock(), [0, 0], threading.Barrier(4)

    def page(request: Request) -> dict:
        with lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        number = int(request.args["page"])
        if number > 1:
            met.wait(10)
        with lock:
            under_way[0] -= 1
        return {"success": True, "data": [{"id": number}], "total": 33}

    faulty.on("/users", page)
    frame = visitor.frame("users", progress=False)
    assert frame["id"].tolist() == list(range(1, 34))
    assert 4 <= under_way[1] <= 16


def test_venues_share_the_requests_evenly(server, open_session):
    session = open_session(server)
    session.venues  # noqa: B018
    server.faults.add("limit_clamp", limit=10, path="/receipts")
    session.frame("receipts", *RANGE, progress=False)
    asked = [entry.venue_id for entry in server.requests if entry.path == "/receipts"]
    assert len(asked) > 200
    for first in range(0, 160, 40):
        assert min(asked[first : first + 40].count(venue) for venue in (1, 2)) >= 10


def test_lists_that_several_tables_come_from_are_read_at_once(faulty, visitor):
    """Each list waits until the other one is asked for."""
    met = threading.Barrier(2)

    def page(request: Request) -> dict:
        met.wait(10)
        return {"success": True, "data": [{"id": 1}], "total": 1}

    for path in ("/users", "/stations"):
        faulty.on(path, page)
    frames = visitor.frames(["stations", "users"], progress=False)
    assert [(name, len(frame)) for name, frame in frames.items()] == [("stations", 1), ("users", 1)]


# ------------------------------------------------------------------------------ faults

PASSING = [
    "reset_before_body",
    "reset_mid_body",
    "gateway_timeout",
    "server_error",
    "html_error",
    "rate_limited",
    "truncated_json",
    "slow_body",
    "limit_clamp",
    "repeated_page",
    "unsorted_page",
    "unknown_enums",
    "unknown_fields",
    "changed_types",
    "wrong_content_type",
    "clock_skew",
]


@pytest.mark.parametrize(
    ("fault", "times"),
    [*((fault, 3) for fault in PASSING), ("expired_token", 1), ("invalid_token", 1)],
)
def test_a_walk_during_which_a_fault_passes_holds_every_row(server, open_session, fault, times):
    session = open_session(server)
    truth = session.venue(1).frame("receipts", *RANGE)["id"].tolist()
    server.faults.time_scale = 0.01
    server.faults.add("limit_clamp", limit=50, path="/receipts")
    met = server.faults.add(fault, path="/receipts", count=times)
    frame = session.venue(1).frame("receipts", *RANGE, progress=False, strict=True)
    assert sorted(frame["id"]) == sorted(truth)
    assert met.fired == times


@pytest.mark.parametrize(
    ("fault", "options", "error"),
    [
        ("reset_before_body", {}, clopos_nb.ConnectionFailed),
        ("reset_mid_body", {}, clopos_nb.ConnectionFailed),
        ("gateway_timeout", {}, clopos_nb.UpstreamTimeout),
        ("server_error", {}, clopos_nb.ServerError),
        ("html_error", {}, clopos_nb.ServerError),
        ("rate_limited", {}, clopos_nb.RateLimited),
        ("truncated_json", {}, clopos_nb.ResponseError),
        ("missing_module", {"module": "call_center"}, clopos_nb.ModuleUnavailable),
        ("expired_token", {}, clopos_nb.TokenRejected),
        ("invalid_token", {}, clopos_nb.TokenRejected),
        ("deactivated_integrator", {}, clopos_nb.UnknownIntegrator),
    ],
)
def test_a_fault_that_stays_is_the_right_error_and_names_the_venue_unless_it_is_the_login(
    server, open_session, fault, options, error
):
    session = open_session(server)
    server.faults.time_scale = 0.01
    server.faults.add("limit_clamp", limit=50, path="/receipts")
    server.faults.add(fault, path="/receipts", venue=2, skip=3, **options)
    with pytest.raises(error) as caught:
        session.frame("receipts", *RANGE, progress=False)
    assert type(caught.value) is error
    assert ("/receipts for venue 2" in str(caught.value)) != isinstance(
        caught.value, clopos_nb.AuthError
    )


ONCE = ["server_error", "truncated_json", "reset_mid_body"]  # together one less than the tries
NOW_AND_THEN = ["repeated_page", "unsorted_page", "unknown_fields", "changed_types"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("moving", ["rows_inserted", "rows_deleted"])
@pytest.mark.parametrize("besides", [[], [*ONCE, *NOW_AND_THEN]], ids=["alone", "and more"])
def test_walks_of_several_venues_that_move_meanwhile_miss_no_row_that_was_there_all_along(
    busy, open_session, moving, besides, seed
):
    with Sandbox(brand=busy, window_s=1) as sandbox:
        session = open_session(sandbox)
        before = session.frame("receipts", *RANGE, progress=False)
        sandbox.faults.add("limit_clamp", limit=40, path="/receipts")
        for fault in (moving, "rows_edited"):
            sandbox.faults.add(fault, path="/receipts", probability=0.3, count=6, skip=seed)
        for fault in besides:
            count = 1 if fault in ONCE else 5
            sandbox.faults.add(fault, path="/receipts", probability=0.3, count=count)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is not complete is looked at below
            moved = session.frame("receipts", *RANGE, progress=False)
        sandbox.faults.clear()
        after = session.frame("receipts", *RANGE, progress=False, strict=True)
    for venue in moved.attrs["clopos"]["venues"]:
        ids = [set(f.loc[f["venue_id"] == venue["id"], "id"]) for f in (before, moved, after)]
        if venue["complete"]:
            assert ids[0] & ids[2] <= ids[1]
            assert len(ids[1]) == venue["rows"] == venue["total"]
    assert moved["id"].is_unique
    assert moved["id"].notna().all()


def test_a_venue_that_fails_is_named_and_the_other_one_is_kept(server, open_session):
    session = open_session(server)
    session.venues  # noqa: B018
    server.faults.add("missing_module", path="/orders", venue=2)
    with pytest.warns(clopos_nb.IncompleteResultWarning, match="ModuleUnavailable"):
        orders = session.frame("orders", "2026-01", errors="warn", progress=False)
    assert set(orders["venue_id"]) == {1}
    first, second = orders.attrs["clopos"]["venues"]
    assert (first["complete"], second["complete"]) == (True, False)
    assert "ModuleUnavailable" in second["error"]


# ------------------------------------------------------------------------------ budget

PULL = """
import json, sys, clopos_nb
about = json.loads(sys.argv[1])
with clopos_nb.Session(**about, cache_dir=sys.argv[2]) as session:
    print("ready", flush=True)
    for _ in range(int(sys.argv[3])):
        session.get("/sale-types")
print("done")
"""


def puller(server: Sandbox, cache: object, requests: int) -> subprocess.Popen[str]:
    about = json.dumps({"base_url": server.url, **server.credentials})
    command = [sys.executable, "-c", PULL, about, str(cache), str(requests)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_three_processes_share_one_budget_and_none_is_refused(server, tmp_path):
    pullers = [puller(server, tmp_path, 150) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].split()[-1] for process in pullers] == ["done"] * 3
    assert {entry.status for entry in server.requests} == {200}
    assert server.count("/sale-types") == 450
    assert server.count("/auth") == 1


def test_a_process_that_is_killed_holds_the_others_up_no_longer_than_a_window(server, tmp_path):
    victim, other = puller(server, tmp_path, 100_000), puller(server, tmp_path, 350)
    victim.stdout.readline()
    other.stdout.readline()
    os.kill(victim.pid, signal.SIGKILL)
    assert other.communicate(timeout=20)[0].split()[-1] == "done"  # not even the 25 s of a lease
    victim.wait()
    assert 429 not in {entry.status for entry in server.requests}


def test_a_read_of_more_than_the_budget_waits_and_is_never_refused(server, open_session):
    session = open_session(server)
    server.faults.add("limit_clamp", limit=5, path="/receipts")
    frame = session.frame("receipts", "2026-01", progress=False)
    assert frame.attrs["clopos"]["requests"] > 600
    assert frame.attrs["clopos"]["complete"]
    assert {entry.status for entry in server.requests} == {200}


def test_a_warm_session_needs_one_request_and_no_login_for_a_small_frame(
    server, open_session, tmp_path
):
    open_session(server, cache_dir=tmp_path).login()
    before = len(list(server.requests))
    open_session(server, cache_dir=tmp_path).frame("sale_types")
    assert [entry.path for entry in list(server.requests)[before:]] == ["/sale-types"]


@pytest.mark.parametrize("rate", ["300", "many/60s", "0/60s"])
def test_a_budget_that_cannot_be_is_refused(rate):
    with pytest.raises(ConfigError, match="rate_limit"):
        clopos_nb.Session(rate_limit=rate)


# ---------------------------------------------------------------------------- estimate


def test_an_estimate_costs_a_request_for_each_venue_and_is_what_the_read_then_takes(
    server, open_session
):
    session = open_session(server)
    session.venues  # noqa: B018
    before = len(list(server.requests))
    cost = session.estimate("receipts", *RANGE)
    assert len(list(server.requests)) == before + 2
    frame = session.frame("receipts", *RANGE, progress=False)
    assert (cost.rows, cost.requests) == (len(frame), frame.attrs["clopos"]["requests"])
    assert cost.seconds >= 0
    assert "requests" in str(cost)


# ------------------------------------------------------------------------------ Ctrl-C


USE = "assert len(session.frame('sale_types'))"
LOGIN = "session.login()"  # a refused budget is refused for its minute


@pytest.fixture
def kernel() -> Iterator[tuple[KernelManager, KernelClient]]:
    """Start a kernel, as a notebook does."""
    manager = KernelManager()
    manager.start_kernel(env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("fault", "options", "cell", "under_way", "then"),
    [
        (
            "limit_clamp",
            {"limit": 2},
            "session.frame('receipts', '2026-01', progress=False)",
            20,
            USE,
        ),
        ("rate_limited", {"reset_s": 60}, "session.estimate('receipts', '2026-01')", 2, LOGIN),
        (
            "rate_limited",
            {"reset_s": 60},
            "list(session.venue(1).rows('receipts', '2026-01'))",
            1,
            LOGIN,
        ),
    ],
    ids=["frame", "estimate that waits", "rows that wait"],
)
def test_an_interrupt_in_a_notebook_stops_the_read_and_leaves_the_session_usable(
    busy, tmp_path, kernel, fault, options, cell, under_way, then
):
    manager, client = kernel
    well_under_way, seen = threading.Event(), []

    def observe(entry: Entry, _: float) -> None:
        seen.append(entry.path)
        if seen.count("/receipts") == under_way:
            well_under_way.set()

    with Sandbox(brand=busy, window_s=2, latency_s=0.3, on_request=observe) as sandbox:
        sandbox.faults.add(fault, path="/receipts", **options)
        about = {"base_url": sandbox.url, "cache_dir": str(tmp_path), **sandbox.credentials}
        run(client, f"import clopos_nb, threading; session = clopos_nb.Session(**{about})")
        client.execute(cell, stop_on_error=False)  # else what is run next may be left out
        assert well_under_way.wait(30)
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=5)["content"]  # a second, on a machine at rest
        assert reply["ename"] == "KeyboardInterrupt"
        sandbox.faults.clear()
        assert run(client, LEFT)
        assert run(client, then)


LEFT = """
import sys, traceback
for thread in threading.enumerate():
    if thread.name.startswith('clopos_nb'):
        thread.join(5)
left = {t.ident: t for t in threading.enumerate() if t.name.startswith('clopos_nb')}
stacks = {left[at].name: frame for at, frame in sys._current_frames().items() if at in left}
assert not left, {name: traceback.format_stack(frame)[-4:] for name, frame in stacks.items()}
"""


def run(client, code: str) -> bool:
    """Run a cell and tell whether it ended well."""
    asked = client.execute(code)
    while (reply := client.get_shell_msg(timeout=30))["parent_header"]["msg_id"] != asked:
        pass
    content = reply["content"]
    assert content["status"] == "ok", f"{content['ename']}: {content['evalue']}"
    return True


# ------------------------------------------------------------------------------ the bar


def test_the_bar_counts_rows_against_the_total_and_says_what_is_left(server, open_session, capsys):
    session = open_session(server)
    server.faults.add("limit_clamp", limit=5, path="/receipts")
    frame = session.frame("receipts", "2026-01")
    told = capsys.readouterr().err
    assert f"/{len(frame)} " in told
    assert "of 2 venues" in told
    assert "requests" in told
    assert "s of waiting for their budget" in told


def test_there_is_no_bar_for_a_single_page_nor_where_none_is_wanted(server, open_session, capsys):
    session = open_session(server)
    session.frame("sale_types")
    session.frame("receipts", "2026-01", progress=False)
    assert capsys.readouterr().err == ""


class EnoughError(Exception):
    """What a watcher of these tests raises."""


def test_a_function_is_told_of_the_progress_and_nothing_is_drawn(server, open_session, capsys):
    told: list[tuple[int, int | None, str]] = []
    session = open_session(server)
    server.faults.add("limit_clamp", limit=20, path="/receipts")
    frame = session.frame("receipts", *RANGE, progress=lambda *now: told.append(now))
    rows, total, note = told[-1]
    assert (rows, total, note) == (len(frame), len(frame), "2 of 2 venues")
    assert [now[0] for now in told] == sorted(now[0] for now in told)
    assert capsys.readouterr().err == ""


def test_what_that_function_raises_ends_the_read_and_leaves_nothing_running(busy, open_session):
    def enough(rows: int, total: int | None, note: str) -> None:
        if rows:
            raise EnoughError

    with Sandbox(brand=busy, window_s=2, latency_s=0.1) as sandbox:
        session = open_session(sandbox)
        sandbox.faults.add("limit_clamp", limit=2, path="/receipts")
        with pytest.raises(EnoughError):
            session.frame("receipts", "2026-01", progress=enough)
        for thread in threading.enumerate():
            if thread.name.startswith("clopos_nb"):
                thread.join(5)
        asked = len(sandbox.requests)
        assert asked < 100  # of some 1,800
        assert not [t for t in threading.enumerate() if t.name.startswith("clopos_nb_")]
        assert len(session.frame("sale_types")) > 0
        assert len(sandbox.requests) == asked + 1


def test_that_function_may_end_a_read_that_gets_no_answer_at_all(faulty, visitor):
    release = threading.Event()

    def silent(_: Request) -> dict:
        release.wait(20)
        return {"success": True, "data": [], "total": 0}

    def enough(rows: int, total: int | None, note: str) -> None:
        raise EnoughError

    faulty.on("/users", silent)
    try:
        with pytest.raises(EnoughError):
            visitor.frame("users", progress=enough)
    finally:
        release.set()
