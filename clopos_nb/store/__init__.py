"""The store: a local Delta Lake copy that is certified against the server each time it is read."""

from clopos_nb.store.site import Site
from clopos_nb.store.store import Store

__all__ = ["Site", "Store"]
