"""The four credentials: where they come from, and a string that does not show itself."""

from __future__ import annotations

import getpass
import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from clopos_nb.errors import MissingCredentials

NAMES = ("client_id", "client_secret", "brand", "integrator_id")
VARIABLES = {name: f"CLOPOS_{name.upper()}" for name in NAMES}
KEYRING_SERVICE = "clopos_nb"


class Secret:
    """A string that never shows itself: not in a repr, a traceback, a log or a pickle.

    Examples
    --------
    >>> from clopos_nb.credentials import Secret
    >>> Secret("hunter2")
    Secret(***)
    >>> Secret("hunter2").reveal()
    'hunter2'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string itself; for the line that sends it, nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        message = "a Secret is not pickled or copied"
        raise TypeError(message)


@dataclass(frozen=True)
class Credentials:
    """What ``POST /auth`` asks for; brand and integrator may be shown, the pair may not.

    ``origins`` says of those that nobody set where they were found: the key ring or a prompt.
    """

    client_id: Secret
    client_secret: Secret
    brand: str
    integrator_id: str
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def body(self) -> dict[str, str]:
        """Return the body of ``POST /auth``."""
        return {
            "client_id": self.client_id.reveal(),
            "client_secret": self.client_secret.reveal(),
            "brand": self.brand,
            "integrator_id": self.integrator_id,
        }

    def fingerprint(self, base_url: str) -> str:
        """Return a one-way name for (server, brand, integrator, id, secret), to file a token by."""
        text = "\0".join([base_url, *self.body().values()])
        return hashlib.sha256(text.encode()).hexdigest()


def given(arguments: Mapping[str, str | Secret | None]) -> dict[str, Secret]:
    """Return the credentials named by an argument or an environment variable; no I/O."""
    found: dict[str, Secret] = {}
    for name in NAMES:
        value = arguments.get(name) or os.environ.get(VARIABLES[name])
        if isinstance(value, Secret):
            found[name] = value
        elif value and value.strip():
            found[name] = Secret(value.strip())
    return found


def look_up(
    found: Mapping[str, Secret], *, ask: bool = True
) -> tuple[dict[str, Secret], dict[str, str]]:
    """Fill what is missing from the key ring, then from a prompt unless ``ask`` is false.

    Returns
    -------
    tuple
        What there is now, and where that was found which was missing.
    """
    values, origins = dict(found), {}
    sources = {"key ring": _from_keyring, **({"prompt": _from_prompt} if ask else {})}
    for origin, source in sources.items():
        for name in NAMES:
            if name not in values and (answer := source(name)):
                values[name], origins[name] = Secret(answer), origin
    return values, origins


def complete(found: Mapping[str, Secret]) -> Credentials:
    """Fill what is missing from the key ring, then from a prompt, or say what to set.

    Raises
    ------
    MissingCredentials
        Something is still missing and nobody can be asked.
    """
    values, origins = look_up(found)
    missing = [name for name in NAMES if name not in values]
    if missing:
        variables = ", ".join(VARIABLES[name] for name in missing)
        arguments = ", ".join(f"{name}=" for name in missing)
        message = (
            f"Not found: {', '.join(missing)}. Set {variables}, or pass {arguments} "
            "to clopos_nb.Session(), or try clopos_nb.demo(), which needs none"
        )
        raise MissingCredentials(message)
    return Credentials(
        client_id=values["client_id"],
        client_secret=values["client_secret"],
        brand=values["brand"].reveal(),
        integrator_id=values["integrator_id"].reveal(),
        origins=origins,
    )


def _from_keyring(name: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:  # optional: clopos_nb[keyring]
        return None
    try:
        answer: str | None = keyring.get_password(KEYRING_SERVICE, name)
    except KeyringError:  # no backend here, or a locked one: the next source may know
        return None
    return answer


def _from_prompt(name: str) -> str | None:
    if not _can_ask():
        return None
    # The id and the secret are masked while typed; the other two are not secret.
    ask: Callable[[str], str] = getpass.getpass if name.startswith("client") else input
    try:
        return ask(f"Clopos {name}: ").strip() or None
    except (EOFError, NotImplementedError):  # a kernel without stdin says so only when asked
        return None


def _can_ask() -> bool:
    """Tell whether somebody is there: a terminal, or a notebook front end that can answer."""
    shell: Any = None
    if ipython := sys.modules.get("IPython"):
        shell = ipython.get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stdin is not None and sys.stdin.isatty()
