"""Why something could not be written."""

from __future__ import annotations


class BooksError(ValueError):
    """What was asked cannot be written; ``reason`` is a sentence, ``field`` the culprit if any."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Taken(BooksError):
    """Another row holds this unique value already."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is taken", field)
        self.field: str = field
