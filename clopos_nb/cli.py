"""The command line: ``clopos-nb demo``, ``pull``, ``doctor`` and ``sandbox``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clopos_nb import CloposError, __version__

__all__ = ["main"]

_HINTS = """\
Your own brand: set CLOPOS_CLIENT_ID, CLOPOS_CLIENT_SECRET, CLOPOS_BRAND and \
CLOPOS_INTEGRATOR_ID, then use clopos_nb.Session() where this used clopos_nb.demo().
The notebooks: make lab"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; by default those of this process.

    Returns
    -------
    int
        0 when done, 1 when it failed or the result is not complete (stderr or the output says
        why), 130 after Ctrl-C, 141 when the reader of the output went away, as ``head`` does.
        Wrong arguments exit with 2, by argparse.
    """
    for stream in (sys.stdout, sys.stderr):
        # A venue's name may have letters that an old terminal lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status: int = arguments.run(arguments)
        sys.stdout.flush()
    except CloposError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Python flushes once more at exit, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # SIGPIPE, which Windows does not name
    return status


def _parser() -> argparse.ArgumentParser:
    from clopos_nb.sandbox import command as sandbox

    parser = argparse.ArgumentParser(
        prog="clopos-nb", description="Notebook toolkit over the Clopos Open API (unofficial)."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    about = "Read a month of every venue of a simulated brand; print a table, write a report."
    demo = commands.add_parser("demo", help=about, description=about)
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("clopos-demo"),
        metavar="FOLDER",
        help="where the report goes (default: %(default)s)",
    )
    demo.add_argument(
        "--month", default="2026-01", metavar="YYYY-MM", help="which month (default: %(default)s)"
    )
    demo.set_defaults(run=_demo)

    about = "Read a table of your brand into a file; the settings are those of CLOPOS_...."
    pull = commands.add_parser("pull", help=about, description=about)
    pull.add_argument("table", metavar="TABLE", help="as receipts; a wrong one lists them all")
    days = "a day, month or year, or 'last 7 days'; both days are included"
    pull.add_argument("start", nargs="?", help=days)
    pull.add_argument("end", nargs="?", help="the last day")
    pull.add_argument(
        "--venues", nargs="+", default="all", metavar="VENUE", help="ids or names (default: all)"
    )
    pull.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="ends in .parquet, .csv or .xlsx; the certificate is in the first's metadata, and "
        "beside the others",
    )
    pull.add_argument(
        "--personal",
        choices=["keep", "hash", "drop"],
        help="personal columns as they are, as pseudonyms or not at all (default: keep, or "
        "CLOPOS_NB_PERSONAL)",
    )
    pull.add_argument("--force", action="store_true", help="replace a file that is there")
    pull.set_defaults(run=_pull)

    about = "Look for what keeps a session from reading; the settings are those of CLOPOS_...."
    doctor = commands.add_parser("doctor", help=about, description=about)
    doctor.add_argument("--json", action="store_true", help="one JSON object instead of text")
    doctor.set_defaults(run=_doctor)

    about = "Serve the simulated brand until interrupted."
    server = commands.add_parser("sandbox", help=about, description=about)
    sandbox.add_arguments(server)
    server.set_defaults(run=sandbox.run)
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    """Do what a first notebook does, on the embedded sandbox."""
    import clopos_nb
    from clopos_nb.analysis import compare_venues, daily_revenue
    from clopos_nb.report import write_report

    with clopos_nb.demo() as session:
        count = len(session.venues)
        orders = session.frame("orders", arguments.month)
        # By business day, so that the month's first and last nights are whole.
        receipts = session.frame("receipts", arguments.month, day="shift_date", progress=True)
        brand = session.brand

    certificates = [orders.attrs["clopos"], receipts.attrs["clopos"]]
    start, end = certificates[1]["start"], certificates[1]["end"]
    comparison = compare_venues(receipts, total=True)

    print(f"{brand}, a simulated brand: {count} venues, {start} to {end}\n")
    print(_table(comparison))
    print()
    for certificate in certificates:
        print(_certificate_line(certificate))
    path = arguments.out / "report.html"
    try:
        write_report(
            path,
            brand=brand,
            start=start,
            end=end,
            comparison=comparison,
            daily=daily_revenue(receipts),
            certificates=certificates,
            note="simulated data",
        )
    except OSError as error:
        return _fail(f"cannot write {path} ({error.strerror}); choose another folder with --out")
    print(f"\nThe report, with a plot: {path}\n\n{_HINTS}")
    return 0 if all(certificate["complete"] for certificate in certificates) else 1


def _pull(arguments: argparse.Namespace) -> int:
    """Write a table into a file, or nothing where it is not complete."""
    import clopos_nb
    from clopos_nb.files import checked_target, save

    path = arguments.out
    checked_target(path, force=arguments.force)  # before the first request
    with clopos_nb.Session() as session:
        frame = session.frame(
            arguments.table,
            arguments.start,
            arguments.end,
            venues=arguments.venues,
            strict=True,
            personal=arguments.personal,
        )
    try:
        save(frame, path, force=arguments.force)
    except OSError as error:
        return _fail(f"cannot write {path} ({error.strerror}); choose another file with --out")
    print(f"{_certificate_line(frame.attrs['clopos'])}\n{path}")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    """Say what is well and what is not; nothing of it is secret."""
    from clopos_nb.doctor import examine_environment

    checkup = examine_environment()
    print(json.dumps(checkup.as_dict(), indent=2) if arguments.json else checkup)
    return 0 if checkup.ok else 1


def _table(comparison: pd.DataFrame) -> str:
    """Return the comparison as text, the venues on the left and figures on the right."""
    head = ["Venue", "Receipts", "Revenue", "Average receipt", "Share of revenue", "Best day"]
    rows = [head] + [
        [
            str(row["venue"]),
            _number(row["receipts"]),
            _number(row["revenue"], 2),
            _number(row["average_receipt"], 2),
            "-" if pd.isna(row["share"]) else f"{row['share']:.1%}",
            "-" if pd.isna(row["best_day"]) else f"{row['best_day']:%a %d %b}",
        ]
        for row in comparison.to_dict("records")
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _certificate_line(certificate: Mapping[str, Any]) -> str:
    verdict = "complete" if certificate["complete"] else "INCOMPLETE"
    facts = [
        f"{certificate['table']}: {_number(certificate['rows'])} rows of the server's "
        f"{_number(certificate['total'])}: {verdict} ({_number(certificate['requests'])} requests)"
    ]
    if certificate["left_out"]:
        facts.append(f"{_number(certificate['left_out'])} of other business days left out")
    facts += [f"{v['name']}: {v['error']}" for v in certificate["venues"] if v["error"]]
    return "; ".join(facts)


def _number(value: float | None, decimals: int = 0) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:,.{decimals}f}".replace(",", " ")


def _fail(error: object) -> int:
    print("clopos-nb:", " ".join(str(error).split()), file=sys.stderr)
    return 1


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print("clopos-nb: warning:", " ".join(str(message).split()), file=sys.stderr)
