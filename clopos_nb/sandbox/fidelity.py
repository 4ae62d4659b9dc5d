"""Which of the coexisting shapes of the API the sandbox speaks, each by a name of its own.

With nothing switched on it speaks the newest documented ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SWITCHES: dict[str, str] = {
    "legacy_fields": "fields and relations that only older pages, client models and recordings "
    "show; the full envelope on a receipt's stock operations",
    "live_errors": "404 and 403 as a list of error objects, as seen on the live service",
    "empty_maps_as_lists": "an empty map is [], as PHP writes it",
    "nested_order_answer": "POST /orders answers data.payload.id, as the OpenAPI rendering shows",
    "no_success": "price lists and prices without success and the server's times, as their "
    "examples are printed",
    "no_diagnostics": "no time, timestamp and unix, as most examples are printed",
    "pagination_everywhere": "every paged list has pagination instead of total and sorts",
    "created_status": "writes that create answer 201, as v1 did",
    "unauthorized_slugs": "401 with the slug unauthorized, as endpoint pages print it",
    "strict_limits": "limit above the maximum is 400 with details, as v1 did; else it is clamped",
    "any_order_status": "PUT /orders/{id} takes READY and other statuses that client tests use",
    "numeric_strings": "bodies of writes may spell numbers as strings, as PHP takes them",
    "v1_order_body": "POST /orders also takes the body of v1: customer_id, payload and meta",
    "flat_recipe": "a recipe holds ingredient_id, name, gross and net, as its table says",
}
"""What each switch does, in one line."""

LEGACY = frozenset({"legacy_fields", "live_errors"})
"""What ``legacy=True`` stands for."""


class Fidelity:
    """The switches that are on; may be changed while the sandbox runs.

    Parameters
    ----------
    names : iterable of str
        Switches to turn on; the names are the keys of ``SWITCHES``.

    Raises
    ------
    ValueError
        If a name is unknown; the message lists all there are. So do ``add`` and ``replace``.

    Examples
    --------
    >>> fidelity = Fidelity({"live_errors"})
    >>> fidelity.add("legacy_fields")
    >>> fidelity
    <Fidelity legacy_fields, live_errors>
    >>> "no_success" in fidelity
    False
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._on: frozenset[str] = frozenset()
        self.replace(names)

    def add(self, *names: str) -> None:
        """Turn switches on."""
        self.replace(self._on | set(names))

    def discard(self, *names: str) -> None:
        """Turn switches off; those that are off stay off."""
        _check(names)
        self._on = self._on - set(names)

    def clear(self) -> None:
        """Speak the newest documented shapes again."""
        self._on = frozenset()

    def replace(self, names: Iterable[str]) -> None:
        """Turn these switches on and all others off."""
        if isinstance(names, str):
            names = [names]
        wanted = frozenset(names)
        _check(wanted)
        self._on = wanted

    @property
    def names(self) -> frozenset[str]:
        """The switches that are on, as of now."""
        return self._on

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._on))

    def __len__(self) -> int:
        return len(self._on)

    def __repr__(self) -> str:
        return f"<Fidelity {', '.join(self) or 'documented'}>"


def _check(names: Iterable[str]) -> None:
    unknown = sorted(set(names) - SWITCHES.keys())
    if unknown:
        message = f"no fidelity switch {', '.join(map(repr, unknown))}; there are: " + ", ".join(
            sorted(SWITCHES)
        )
        raise ValueError(message)
