"""Pictures: where they would be, and what the API says of them. Nothing is behind the addresses."""

from __future__ import annotations

from typing import Any
from zlib import crc32

_HOST = "https://cdn.clopos.com/narbag"
_SIZES = ("original", "original_large", "extra_large", "large", "thumb")
_BLUR = "LEIpFsE%t1}TxpENEgaK0iowRktQ"


def photo(key: str) -> dict[str, Any]:
    """Return a media object of an uploaded photo."""
    number = crc32(key.encode())
    uuid = f"{number:08x}-0000-4000-8000-{number:012x}"
    return {
        "uuid": uuid,
        "mime_type": "image/jpeg",
        "size": 40_000 + number % 90_000,
        "urls": {size: f"{_HOST}/{uuid}/{size}.jpg" for size in _SIZES},
        "blur_hash": _BLUR,
        "dimensions": {"width": 612, "height": 459},
    }


def image(key: str) -> dict[str, Any]:
    """Return the older ``image`` of a product: the addresses and the blur hash."""
    media = photo(key)
    return {**media["urls"], "blur_hash": media["blur_hash"]}


def icon(name: str) -> dict[str, Any]:
    """Return a system icon, which carries nothing but two addresses."""
    return {"urls": dict.fromkeys(("original", "large"), f"{_HOST}/icons/{name}.png")}
