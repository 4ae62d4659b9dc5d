"""Who may call: credentials, integrators, test and live brands, and the JWT that carries it all."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
import msgspec

from clopos_nb.sandbox.answers import Body, Refusal, gateway

MISSING = "Missing client_id, client_secret, brand, or integrator_id"
UNKNOWN_INTEGRATOR = "Invalid integrator_id"
TEST_INTEGRATOR = "Integrator is in test mode. But brand is not in test mode"
LIVE_INTEGRATOR = "Brand is in test mode. But integrator is not in test mode"
"""The reverse pairing: that it is refused is known, its wording is not."""

FIELDS = ("client_id", "client_secret", "brand", "integrator_id")


@dataclass
class Integrator:
    """A company that calls the API."""

    id: str
    is_test: bool
    active: bool = True


@dataclass(frozen=True)
class BrandAccess:
    """A brand as the gateway sees it: its mode and the credentials it gave out."""

    slug: str
    is_test: bool
    client_id: str
    client_secret: str
    disabled_client_id: str


@dataclass(frozen=True)
class Caller:
    """Who a verified token belongs to."""

    brand: str
    integrator_id: str
    venue_id: int

    @property
    def key(self) -> str:
        """What tier 3 counts by: venues and tokens of a brand share one budget."""
        return f"{self.integrator_id}:{self.brand}"


class Registry:
    """All brands and integrators that a sandbox knows, and the key that signs its tokens.

    Parameters
    ----------
    slug : str
        The live brand. A brand of the same data in test mode is called ``<slug>-test``.
    seed : int
        Makes the made-up credentials, the same ones for the same seed.
    venue_id : int
        The venue a token stands for when a request has no ``x-venue``.
    lifetime_s : int
        Life of a token.
    now : callable
        Unix time; see ``Sandbox.advance``.
    """

    def __init__(
        self, slug: str, seed: int, venue_id: int, lifetime_s: int, now: Callable[[], float]
    ) -> None:
        self._venue_id = venue_id
        self._lifetime_s = lifetime_s
        self._now = now
        # Random per sandbox, as another installation's would be: a token of an earlier sandbox that
        # had the same port is refused as invalid instead of working by accident.
        self._signing_key = secrets.token_bytes(48)
        self.live_brand = _brand(slug, seed, is_test=False)
        self.test_brand = _brand(f"{slug}-test", seed, is_test=True)
        self.live = Integrator(f"live_{_fake(seed, 'integrator')}", is_test=False)
        self.test = Integrator(f"test_{_fake(seed, 'test-integrator')}", is_test=True)
        self.deactivated = Integrator(f"live_{_fake(seed, 'gone')}", is_test=False, active=False)
        self._brands = {b.slug: b for b in (self.live_brand, self.test_brand)}
        self._integrators = {i.id: i for i in (self.live, self.test, self.deactivated)}

    def issue(self, raw: bytes) -> Body:
        """Answer the body of a POST /auth; raise ``Refusal`` for each documented failure."""
        asked = _four_strings(raw)
        integrator = self._integrators.get(asked["integrator_id"])
        if integrator is None or not integrator.active:
            raise gateway(400, UNKNOWN_INTEGRATOR, "The integrator is unknown or deactivated.")
        brand = self._brands.get(asked["brand"])
        if brand is not None:
            # 200 at /auth and 401 elsewhere: the documented trap.
            self._refuse_mixed_modes(integrator, brand, status=200)
        _check_credentials(brand, asked)
        return self._token(asked["brand"], integrator.id)

    def verify(self, token: str | None) -> Caller:
        """Return whom a token belongs to; raise ``Refusal`` (401) when it is not good."""
        if not token:
            raise gateway(401, "Headers are missing", "The x-token header is required.")
        claims = self._claims(token)
        if claims["exp"] <= self._now():
            expired = datetime.fromtimestamp(claims["exp"], UTC)
            raise gateway(
                401,
                "Token expired",
                "The token has expired; call /auth again.",
                expires_at=expired.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            )
        integrator = self._integrators.get(claims["integrator_id"])
        brand = self._brands.get(claims["brand"])
        if integrator is None or not integrator.active:
            raise gateway(401, UNKNOWN_INTEGRATOR, "The integrator has been deactivated.")
        if brand is None:
            raise _invalid_token()
        self._refuse_mixed_modes(integrator, brand, status=401)
        return Caller(brand.slug, integrator.id, claims["venue_id"])

    def aged(self, token: str) -> str:
        """Return the same token, expired a second ago; what is no token as it is."""
        try:
            claims = self._claims(token)
        except Refusal:
            return token
        expired = int(self._now()) - 1
        aged = claims | {"iat": expired - self._lifetime_s, "exp": expired}
        return jwt.encode(aged, self._signing_key, algorithm="HS256")

    def _token(self, brand: str, integrator_id: str) -> Body:
        issued = int(self._now())
        expires = issued + self._lifetime_s
        claims = {
            "token": f"oauth_{secrets.token_urlsafe(24)}",
            "brand": brand,
            "stage": "beta" if self._brands[brand].is_test else "production",
            "venue_id": self._venue_id,
            "integrator_id": integrator_id,
            "iat": issued,
            "exp": expires,
        }
        return {
            "success": True,
            "token": jwt.encode(claims, self._signing_key, algorithm="HS256"),
            "token_type": "Bearer",
            "expires_in": self._lifetime_s,
            "expires_at": expires,
            "message": "Authentication successful",
        }

    def _claims(self, token: str) -> dict[str, Any]:
        # Times are checked by the caller, against a clock that tests can move.
        options: Any = {"verify_exp": False, "verify_iat": False, "require": ["iat", "exp"]}
        try:
            claims = jwt.decode(token, self._signing_key, algorithms=["HS256"], options=options)
        except (jwt.PyJWTError, ValueError):
            raise _invalid_token() from None
        return claims

    @staticmethod
    def _refuse_mixed_modes(integrator: Integrator, brand: BrandAccess, *, status: int) -> None:
        if integrator.is_test and not brand.is_test:
            raise gateway(status, TEST_INTEGRATOR, "Use a live integrator with a live brand.")
        if brand.is_test and not integrator.is_test:
            raise gateway(status, LIVE_INTEGRATOR, "Use a test integrator with a test brand.")


def _four_strings(raw: bytes) -> dict[str, str]:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    asked: dict[str, str] = {}
    for name in FIELDS:
        value = body.get(name) if isinstance(body, dict) else None
        if not isinstance(value, str) or not value:
            raise gateway(400, MISSING, "All four are required, as strings in a JSON object.")
        asked[name] = value
    return asked


def _check_credentials(brand: BrandAccess | None, asked: dict[str, str]) -> None:
    if brand is not None and asked["client_id"] == brand.disabled_client_id:
        raise gateway(403, "Client is disabled", "The brand switched its Open API module off.")
    known = brand is not None and asked["client_id"] == brand.client_id
    if not known or brand is None or asked["client_secret"] != brand.client_secret:
        raise gateway(401, None, "Invalid credentials")


def _invalid_token() -> Refusal:
    return gateway(401, "Invalid token", "The token is malformed or its signature is wrong.")


def _brand(slug: str, seed: int, *, is_test: bool) -> BrandAccess:
    return BrandAccess(
        slug=slug,
        is_test=is_test,
        client_id=f"sandbox-client-{_fake(seed, slug)}",
        client_secret=f"sandbox-secret-{_fake(seed, slug + ' secret')}",
        disabled_client_id=f"sandbox-disabled-{_fake(seed, slug + ' disabled')}",
    )


def _fake(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()[:16]
