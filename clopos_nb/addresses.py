"""Where requests go: checked before credentials are sent there."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

from clopos_nb import errors, wire


def checked_base_url(url: str) -> str:
    """Return the base URL without a trailing slash, if it is safe to send credentials to.

    Raises
    ------
    ConfigError
        Not ``https://``, nor ``http://`` to this machine; or it carries a login, query or fragment.
    """
    try:
        parts = urlsplit(url.strip() if isinstance(url, str) else "")
        host, _ = parts.hostname, parts.port
    except ValueError:  # "[" without its "]", a port that is no number
        parts, host = urlsplit(""), None
    if not host or parts.scheme not in ("https", "http"):
        message = (
            "base_url is not a web address. Expected https://HOST/PATH, as in "
            f"{wire.DEFAULT_BASE_URL}; set CLOPOS_BASE_URL or pass base_url="
        )
        raise errors.ConfigError(message)
    if parts.username or parts.password or parts.query or parts.fragment:
        message = "base_url must not carry a login, a query or a fragment; credentials go elsewhere"
        raise errors.ConfigError(message)
    if parts.scheme == "http" and not is_loopback(host):
        message = (
            f"base_url is http:// to {host}, which would send the credentials readable to all on "
            "the way. Use https://; plain http:// is for this machine only (127.0.0.1, localhost)"
        )
        raise errors.ConfigError(message)
    return url.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_path(path: str) -> str:
    """Return a path below the base URL, with its leading slash.

    Raises
    ------
    ConfigError
        It leads elsewhere, or has a query of its own.
    """
    path = "/" + str(path).lstrip("/")
    plain = unquote(path)
    if "://" in plain or "?" in plain or "#" in plain or ".." in plain.split("/"):
        message = (
            f"{path!r} is not a path of the API; write it as in '/receipts/12' and use params="
        )
        raise errors.ConfigError(message)
    return path
