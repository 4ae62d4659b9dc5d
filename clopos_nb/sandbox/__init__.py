"""A simulated Clopos brand behind a real loopback HTTP server.

Knows nothing of the client half of this package, and is not known by it: each checks the other.
"""

from __future__ import annotations

from clopos_nb.sandbox.server import Sandbox

__all__ = ["Sandbox"]
