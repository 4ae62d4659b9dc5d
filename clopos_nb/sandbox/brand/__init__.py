"""The simulated restaurant brand behind the sandbox: data only, no HTTP."""

from clopos_nb.sandbox.brand.brand import Brand
from clopos_nb.sandbox.brand.ledger import Ledger

__all__ = ["Brand", "Ledger"]
