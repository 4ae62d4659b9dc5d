"""The demonstration: the same client, on a simulated brand inside this process."""

from __future__ import annotations

import os

from clopos_nb.session import Session


def demo(*, timezone: str | None = None, store: str | os.PathLike[str] | None = None) -> Session:
    """Return a session on a simulated brand; needs no credentials, no network, no files.

    A sandbox of the Clopos API starts on a free port of this machine and stops when the session is
    closed or the process ends. The brand is fictional and always the same: four venues, their menu
    and customers, and orders and receipts from 2025-12-01 to 2026-02-28, which is its "today". The
    token is kept in memory only.

    Parameters
    ----------
    timezone : str, optional
        As for :class:`Session`; the brand's own zone is ``"Asia/Baku"``.
    store : path, optional
        As for :class:`Session`, to try one; else there is none.

    Returns
    -------
    Session

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     receipts = session.venue(1).frame("receipts", "yesterday")
    >>> receipts.attrs["clopos"]["start"]
    '2026-02-27'
    """
    from clopos_nb.sandbox import Sandbox  # only whoever asks for it loads the server

    sandbox = Sandbox().start()
    session = Session(
        client_id=sandbox.credentials["client_id"],
        client_secret=sandbox.credentials["client_secret"],
        brand=sandbox.credentials["brand"],
        integrator_id=sandbox.credentials["integrator_id"],
        base_url=sandbox.url,
        timezone=timezone,
        cache_dir=False,
        today=sandbox.today,
        store=store or False,
    )
    session._cleanup.callback(sandbox.stop)
    session._cleanup.callback(session._transport.retire)
    return session
