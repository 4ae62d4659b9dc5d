"""Times and identifiers in the spellings of the API, and made-up but repeatable ones."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID
from zlib import crc32

UTC_OFFSET = timedelta(hours=4)
"""Asia/Baku, which has had no summer time since 2016."""

DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_OFFSET_SECONDS = int(UTC_OFFSET.total_seconds())
# Looked up rather than formatted: a page of receipts holds thousands of times.
_MINUTES = [f" {hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60)]
_SECONDS = [f"{second:02d}" for second in range(60)]

_FREE = (1 << 122) - 1
_MOST = 1 << 62
_VARIANTS = "89ab"


@lru_cache(maxsize=4096)
def day_text(day: date, later: int = 0) -> str:
    """Return ``YYYY-MM-DD`` of so many days later."""
    return (day + timedelta(days=later)).isoformat()


def local(day: date, seconds: int) -> str:
    """Return ``YYYY-MM-DD HH:mm:ss`` for so many seconds after that day's local midnight."""
    later, rest = divmod(seconds, DAY)
    return day_text(day, later) + _MINUTES[rest // 60] + _SECONDS[rest % 60]


def iso(day: date, seconds: int) -> str:
    """Return the same instant in true UTC with six fractional digits and ``Z``."""
    text = local(day, seconds - _OFFSET_SECONDS)
    return f"{text[:10]}T{text[11:]}.000000Z"


def millis(day: date, seconds: int) -> int:
    """Return the same instant as Unix milliseconds."""
    return ((day.toordinal() - _EPOCH) * DAY + seconds - _OFFSET_SECONDS) * 1000


def founding(key: str) -> tuple[date, int]:
    """Return a repeatable moment in the brand's first year for a row that has no story."""
    number = crc32(key.encode())
    return date(2023, 4, 12) + timedelta(days=number % 400), 9 * 3600 + number % 36_000


class Keys:
    """UUIDs that carry their number, so that a row is found by ``cid`` without an index.

    The 122 free bits of a version 4 UUID are the number times an odd constant of the seed and kind,
    which can be undone modulo a power of two. A UUID from elsewhere undoes to a number too large
    to exist.
    """

    def __init__(self, seed: int, kind: str) -> None:
        digest = blake2b(f"{seed}:{kind}".encode(), digest_size=32).digest()
        self._factor = int.from_bytes(digest[:16]) | 1
        self._shift = int.from_bytes(digest[16:])
        self._inverse = pow(self._factor, -1, _FREE + 1)

    def cid(self, number: int) -> str:
        """Return the UUID of a number."""
        bits = (number * self._factor + self._shift) & _FREE
        # The first of the 31 digits has two bits only: they choose the variant digit.
        variant, text = _VARIANTS[bits >> 120], bits.to_bytes(16, "big").hex()
        return f"{text[2:10]}-{text[10:14]}-4{text[14:17]}-{variant}{text[17:20]}-{text[20:]}"

    def number(self, cid: str) -> int | None:
        """Return the number inside a UUID, or None when this class did not make it."""
        try:
            digits = UUID(cid).hex
        except ValueError:
            return None
        if digits[12] != "4" or digits[16] not in _VARIANTS:
            return None
        first = _VARIANTS.index(digits[16])
        bits = int(f"{first}{digits[:12]}{digits[13:16]}{digits[17:]}", 16)
        number = ((bits - self._shift) * self._inverse) & _FREE
        return number if number < _MOST else None
