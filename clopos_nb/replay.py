"""Opening a snapshot: the same session, without a server behind it."""

from __future__ import annotations

import os
from pathlib import Path

from clopos_nb.privacy import STRICTER
from clopos_nb.session import Session
from clopos_nb.venues import Venues


def open_snapshot(path: str | os.PathLike[str]) -> Session:
    """Return a session on a file that :meth:`Session.snapshot` made; no credentials, no requests.

    ``frame()``, ``frames()``, ``venue()`` and ``venues`` answer as they did where it was made, for
    the tables, venues and days that it holds and any days within these, in the same time zone and
    with the same "today"; certificates say ``source: "snapshot"``. What needs a server raises. The
    file is looked at before it is believed: nothing in it is run, and nothing unpacked to disk.

    Parameters
    ----------
    path : path

    Returns
    -------
    Session

    Raises
    ------
    SnapshotError
        No snapshot, damaged, or of a newer format.

    Examples
    --------
    >>> import clopos_nb, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, clopos_nb.demo() as session:
    ...     path = session.snapshot(f"{folder}/day.zip", "receipts", "2026-01-05", progress=False)
    ...     there = session.frame("receipts", "2026-01-05", progress=False)
    ...     here = clopos_nb.open_snapshot(path).frame("receipts", "2026-01-05")
    >>> len(here) == len(there), here.attrs["clopos"]["source"], here.attrs["clopos"]["personal"]
    (True, 'snapshot', 'hash')
    """
    from clopos_nb.snapshots import Snapshot

    snapshot = Snapshot(Path(path).absolute())
    manifest = snapshot.manifest
    session = Session(
        client_id="snapshot",
        client_secret="snapshot",  # noqa: S106  # nobody is asked, and nothing sent
        brand=manifest.brand,
        integrator_id="snapshot",
        cache_dir=False,
        today=manifest.today,
        store=False,
    )
    session._reads.personal = max(session._reads.personal, manifest.personal, key=STRICTER.index)
    session._reads.timezone = manifest.timezone
    session._reads.snapshot = snapshot
    session._venues = Venues(
        session,
        [{"id": v.id, "name": v.name, "is_main": v.is_main} for v in manifest.venues],
    )
    session._transport.retire(
        f"{snapshot.path.name} is a snapshot, with no server behind it: frame(), frames(), venue() "
        "and venues work; for the rest make a clopos_nb.Session()"
    )
    return session
