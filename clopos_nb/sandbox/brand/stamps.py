"""Times and identifiers in the three spellings of the API, and made-up but repeatable ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID
from zlib import crc32

UTC_OFFSET = timedelta(hours=4)
"""Asia/Baku, which has had no summer time since 2016."""

DAY = 86_400
_LOW_BITS = 62
_LOW = (1 << _LOW_BITS) - 1
_FACTOR = 0x2545F4914F6CDD1D
_INVERSE = pow(_FACTOR, -1, 1 << _LOW_BITS)


@lru_cache(maxsize=4096)
def _day_text(day: date, later: int) -> str:
    return (day + timedelta(days=later)).isoformat()


def local(day: date, seconds: int) -> str:
    """Return ``YYYY-MM-DD HH:mm:ss`` for so many seconds after that day's local midnight."""
    later, rest = divmod(seconds, DAY)
    minutes, second = divmod(rest, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_day_text(day, later)} {hour:02d}:{minute:02d}:{second:02d}"


def iso(day: date, seconds: int) -> str:
    """Return the same instant in true UTC with six fractional digits and ``Z``."""
    text = local(day, seconds - int(UTC_OFFSET.total_seconds()))
    return f"{text[:10]}T{text[11:]}.000000Z"


def millis(day: date, seconds: int) -> int:
    """Return the same instant as Unix milliseconds."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - UTC_OFFSET
    return (int(midnight.timestamp()) + seconds) * 1000


def founding(key: str) -> tuple[date, int]:
    """Return a repeatable moment in the brand's first year for a row that has no story."""
    number = crc32(key.encode())
    return date(2023, 4, 12) + timedelta(days=number % 400), 9 * 3600 + number % 36_000


class Keys:
    """UUIDs that carry their number, so that a row is found by ``cid`` without an index.

    The low 62 bits are the number times an odd constant, which can be undone; the rest is a hash of
    seed, kind and number, which tells a real ``cid`` from a made-up one.
    """

    def __init__(self, seed: int, kind: str) -> None:
        self._salt = f"{seed}:{kind}:".encode()
        self._shift = int.from_bytes(blake2b(self._salt, digest_size=8).digest()) & _LOW

    def cid(self, number: int) -> str:
        """Return the UUID of a number."""
        digest = blake2b(self._salt + number.to_bytes(8), digest_size=8).hexdigest()
        low = ((number * _FACTOR + self._shift) & _LOW) | (2 << _LOW_BITS)
        tail = f"{low:016x}"
        return f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-{tail[:4]}-{tail[4:]}"

    def number(self, cid: str) -> int | None:
        """Return the number inside a UUID, or None when this class did not make it."""
        try:
            value = UUID(cid)
        except ValueError:
            return None
        number = (((value.int & _LOW) - self._shift) * _INVERSE) & _LOW
        return number if self.cid(number) == str(value) else None
