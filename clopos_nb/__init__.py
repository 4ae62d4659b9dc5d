"""Notebook toolkit over the Clopos Open API v2: one line to a complete, typed DataFrame.

>>> import clopos_nb
>>> session = clopos_nb.demo()  # or clopos_nb.Session(), with credentials
>>> orders = session.venue(1).frame("orders", "2026-01")
>>> session.close()
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from clopos_nb._demo import demo
from clopos_nb.analysis import reconcile
from clopos_nb.errors import *  # noqa: F403  # every error by its name; the module has an __all__
from clopos_nb.errors import __all__ as _errors
from clopos_nb.replay import open_snapshot
from clopos_nb.session import Session
from clopos_nb.tables import Column, Table
from clopos_nb.venues import Venue, Venues

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"

__all__ = [
    "Column",
    "Session",
    "Table",
    "Venue",
    "Venues",
    "__version__",
    "demo",
    "open_snapshot",
    "reconcile",
    *_errors,
]

logging.getLogger("clopos_nb").addHandler(logging.NullHandler())


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magic ``%clopos``; IPython calls this for ``%load_ext clopos_nb``."""
    from clopos_nb import magics  # imports IPython, which is there by then

    magics.load(shell)
