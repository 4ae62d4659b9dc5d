"""Credentials that are not set come from the key ring, or from whoever can be asked."""

from __future__ import annotations

import os
import pty
import sys

import keyring
import pytest
from jupyter_client.manager import start_new_kernel
from keyring.backend import KeyringBackend

import clopos_nb
from clopos_nb.credentials import KEYRING_SERVICE, NAMES


class Ring(KeyringBackend):
    """A key ring of this process."""

    priority = 1

    def __init__(self, passwords: dict[str, str]) -> None:
        super().__init__()
        self.passwords = passwords

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get(username) if service == KEYRING_SERVICE else None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.passwords[username]


@pytest.fixture
def ring(sandbox):
    before = keyring.get_keyring()
    keyring.set_keyring(Ring(dict(sandbox.credentials)))
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("ring")
def test_the_key_ring_is_asked_for_what_is_not_set(sandbox):
    with clopos_nb.Session(base_url=sandbox.url) as session:
        assert len(session.venues) == len(sandbox.brand.venue_ids)


def at_a_terminal(code: str, answers: list[str], environment: dict[str, str]) -> str:
    """Run Python at a terminal of its own, answer each prompt, and return what it showed."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, [sys.executable, "-c", code], os.environ | environment)
    shown = ""
    while True:
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:  # the terminal closes with the process
            break
        if answers and shown.endswith(": "):
            os.write(terminal, f"{answers.pop(0)}\n".encode())
    assert os.waitpid(process, 0)[1] == 0, shown
    return shown


def test_a_terminal_is_asked_and_neither_id_nor_secret_is_echoed(sandbox):
    shown = at_a_terminal(
        "import clopos_nb; print(clopos_nb.Session(cache_dir=False).venues)",
        [sandbox.credentials[name] for name in NAMES],
        {"CLOPOS_BASE_URL": sandbox.url, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
    )
    assert "Venues(" in shown
    assert sandbox.credentials["client_secret"] not in shown
    assert sandbox.credentials["client_id"] not in shown


def test_a_kernel_that_nobody_answers_says_what_to_set():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        reply = client.execute_interactive(
            "import clopos_nb; clopos_nb.Session().venues", allow_stdin=False, timeout=30
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["ename"] == "MissingCredentials"
    assert "CLOPOS_CLIENT_SECRET" in reply["content"]["evalue"]
