"""Snapshots: frames and certificates in one file, to be shared and read again without a server."""

from clopos_nb.snapshots.form import FORMAT, Manifest, VenueLine
from clopos_nb.snapshots.reading import Snapshot
from clopos_nb.snapshots.writing import Part, checked_target, plan, save

__all__ = [
    "FORMAT",
    "Manifest",
    "Part",
    "Snapshot",
    "VenueLine",
    "checked_target",
    "plan",
    "save",
]
