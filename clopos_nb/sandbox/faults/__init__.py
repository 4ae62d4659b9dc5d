"""Faults: what may go wrong between a client and the API, each by name, switchable at any time."""

from clopos_nb.sandbox.faults.checks import FaultError
from clopos_nb.sandbox.faults.faults import Fault, Faults
from clopos_nb.sandbox.faults.gateway import Gateway
from clopos_nb.sandbox.faults.kinds import KINDS, Kind
from clopos_nb.sandbox.faults.work import Work

__all__ = ["KINDS", "Fault", "FaultError", "Faults", "Gateway", "Kind", "Work"]
