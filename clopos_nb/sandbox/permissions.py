"""Who may do what: an integrator's scopes, the staff user's abilities, a venue's modules.

The documentation names them and says that all must be there; what is answered when one is missing
is stated nowhere, and chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass

from clopos_nb.sandbox.answers import Refusal, slug

SCOPES = (
    "receipts:read",
    "stock:read",
    "stock-operations:read",
    "operations:read",
    "operation-items:read",
    "storages:read",
    "suppliers:read",
    "finance-balances:read",
    "finance-cash-shifts:read",
    "finance-categories:read",
    "finance-taxes:read",
    "finance-transactions:read",
)
"""Of an integrator."""
ABILITIES = (
    "RECEIPT_VIEW",
    "STOCK_VIEW",
    "STOCK_STORAGE_VIEW",
    "STOCK_SUPPLIER_VIEW",
    "FINANCE_BALANCE_VIEW",
    "CASH_SHIFT_VIEW",
    "FINANCE_CATEGORY_VIEW",
    "TAX_VIEW",
    "TAX_REPORT_SHOW",
    "FINANCE_TRANSACTION_VIEW",
)
"""Of the staff user a brand's credential acts as."""
MODULES = ("call_center", "cash_shift", "restaurant_emenu")
"""Of a venue."""


@dataclass(frozen=True)
class Need:
    """What a route asks for; empty where it asks for nothing."""

    scope: str = ""
    ability: str = ""
    module: str = ""


class Permissions:
    """What has been taken away; at first everybody may do everything.

    Examples
    --------
    >>> permissions = Permissions()
    >>> permissions.revoke("STOCK_VIEW", brand="narbag")
    >>> permissions.switch_off("call_center", venue_id=2)
    >>> permissions
    <Permissions without STOCK_VIEW of narbag, call_center of 2>
    >>> permissions.restore()
    """

    def __init__(self) -> None:
        self._gone: set[tuple[str, str | int | None]] = set()

    def revoke(
        self, *names: str, integrator_id: str | None = None, brand: str | None = None
    ) -> None:
        """Take scopes or abilities away.

        Parameters
        ----------
        *names : str
            Scopes, as ``stock:read``, or abilities, as ``STOCK_VIEW``.
        integrator_id : str, optional
            Whose scopes; everybody's by default.
        brand : str, optional
            Of which brand's credential the abilities are; of all by default.
        """
        for name, whose in _owners(names, integrator_id, brand):
            self._gone = self._gone | {(name, whose)}

    def grant(
        self, *names: str, integrator_id: str | None = None, brand: str | None = None
    ) -> None:
        """Give back what ``revoke`` took, with the same arguments."""
        for name, whose in _owners(names, integrator_id, brand):
            self._gone = self._gone - {(name, whose)}

    def switch_off(self, module: str, *, venue_id: int | None = None) -> None:
        """Take a module, as ``call_center``, from one venue, or from all."""
        _known([module], MODULES)
        self._gone = self._gone | {(module, venue_id)}

    def switch_on(self, module: str, *, venue_id: int | None = None) -> None:
        """Undo ``switch_off`` with the same arguments."""
        _known([module], MODULES)
        self._gone = self._gone - {(module, venue_id)}

    def restore(self) -> None:
        """Give everything back to everybody."""
        self._gone = set()

    def check(
        self, need: Need, *, integrator_id: str, brand: str, venue_id: int, live: bool
    ) -> None:
        """Raise ``Refusal`` (403) when something the route needs is missing.

        ``live`` answers a missing module with the list of errors that a client saw.
        """
        if self._lacks(need.scope, integrator_id):
            raise slug(403, "forbidden", f"The integrator lacks the scope {need.scope}")
        if self._lacks(need.ability, brand):
            raise slug(403, "forbidden", f"The user lacks the ability {need.ability}")
        if self._lacks(need.module, venue_id):
            raise missing_module(need.module, brand, live=live)

    def has_module(self, module: str, venue_id: int) -> bool:
        """Whether a venue has a module."""
        return not self._lacks(module, venue_id)

    def _lacks(self, name: str, whose: str | int) -> bool:
        return (name, whose) in self._gone or (name, None) in self._gone

    def __repr__(self) -> str:
        gone = sorted(self._gone, key=str)
        words = [f"{name} of {'all' if whose is None else whose}" for name, whose in gone]
        return f"<Permissions {'without ' + ', '.join(words) if words else 'complete'}>"


def missing_module(module: str, brand: str, *, live: bool) -> Refusal:
    """Return the 403 of a missing module; a client saw its text live for ``call_center``."""
    message = f"Brand {brand} does not have access to module {module}"
    if live:
        problem = {"message": message, "type": "server_side", "http_code": 403}
        return Refusal(403, {"success": False, "error": [problem]})
    return slug(403, "forbidden", message)


def _owners(
    names: tuple[str, ...], integrator_id: str | None, brand: str | None
) -> list[tuple[str, str | None]]:
    _known(names, SCOPES + ABILITIES)
    return [(name, integrator_id if name in SCOPES else brand) for name in names]


def _known(names: tuple[str, ...] | list[str], all_names: tuple[str, ...]) -> None:
    for name in names:
        if name not in all_names:
            message = f"{name!r} is not one of {', '.join(all_names)}"
            raise ValueError(message)
