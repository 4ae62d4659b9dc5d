"""A small brand made once, and a fresh server around it for every test.

Fresh, so that each test has the rate-limit budgets, the clock and the request log to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import requests

from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand

pytest.register_assert_rewrite("adding")


class Api:
    """Speaks to one sandbox as a well-behaved integrator would."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = requests.Session()
        self.http.trust_env = False
        self._token: str | None = None

    def auth(self, **changes: Any) -> requests.Response:
        body = {**self.sandbox.credentials, **changes}
        return self.http.post(f"{self.sandbox.url}/auth", json=body, timeout=10)

    @property
    def token(self) -> str:
        if self._token is None:
            self._token = self.auth().json()["token"]
        return self._token

    def get(
        self, path: str, *, venue: object = None, headers: dict[str, str] | None = None, **kw: Any
    ) -> requests.Response:
        sent = {"x-token": self.token} if headers is None else headers
        if venue is not None:
            sent = {**sent, "x-venue": str(venue)}
        return self.http.get(self.sandbox.url + path, headers=sent, timeout=10, **kw)

    def data(self, path: str, **kw: Any) -> Any:
        answer = self.get(path, **kw)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@pytest.fixture(scope="session")
def brand() -> Brand:
    return Brand(
        seed=7,
        venues=3,
        first_day=date(2026, 2, 19),
        last_day=date(2026, 2, 28),
        receipts_per_day=30,
    )


@pytest.fixture
def make_sandbox(brand: Brand) -> Iterator[Callable[..., Sandbox]]:
    made: list[Sandbox] = []

    def make(**settings: Any) -> Sandbox:
        made.append(Sandbox(brand=brand, **settings).start())
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.stop()


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return make_sandbox()


@pytest.fixture
def make_api(make_sandbox: Callable[..., Sandbox]) -> Iterator[Callable[..., Api]]:
    made: list[Api] = []

    def make(**settings: Any) -> Api:
        made.append(Api(make_sandbox(**settings)))
        return made[-1]

    yield make
    for api in made:
        api.http.close()


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    api = Api(sandbox)
    yield api
    api.http.close()


@pytest.fixture
def legacy(make_api: Callable[..., Api]) -> Api:
    return make_api(legacy=True)
