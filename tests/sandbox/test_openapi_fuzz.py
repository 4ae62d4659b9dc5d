"""Schemathesis against a running sandbox: whatever is sent, the answer is one that is described.

Bounded by the number of examples; writes change the sandbox's own books only.
"""

from __future__ import annotations

from datetime import date

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from clopos_nb.sandbox import Sandbox, openapi

EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DESCRIPTION = openapi.describe()
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS = [(m.upper(), path) for path, item in DESCRIPTION["paths"].items() for m in item]


@pytest.fixture(scope="module")
def running():
    # A window of a millisecond lifts the rate limits.
    settings = {"venues": 2, "first_day": date(2026, 2, 25), "receipts_per_day": 10}
    with Sandbox(window_s=0.001, **settings) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def http(running):
    with requests.Session() as session:
        answer = session.post(f"{running.url}/auth", json=running.credentials, timeout=10)
        session.headers["x-token"] = answer.json()["token"]
        yield session


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_every_answer_is_described(running, http, method, path, mode):
    operation = SCHEMA[path][method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        answer = case.call(base_url=running.url, session=http, headers=dict(http.headers))
        case.validate_response(answer, checks=CHECKS)

    check()
