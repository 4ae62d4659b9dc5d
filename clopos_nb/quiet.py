"""Keeping what is asked for out of the logs of the packages below."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class NoQueries:
    """A filter of log records that cuts the query off the addresses of one server.

    urllib3 writes the address of each request at DEBUG, and of an answer with broken headers as a
    warning; a filter in it may be somebody's phone number. Records about other servers stay as they
    are.
    """

    host: str
    port: int

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record about this server; let every record pass."""
        said = " ".join(map(str, record.args or ()))
        if isinstance(record.args, tuple) and self.host in said and str(self.port) in said:
            record.args = tuple(
                arg.partition("?")[0] if isinstance(arg, str) else _named(arg)
                for arg in record.args
            )
            record.exc_info = None  # of broken headers, which it quotes
        return True


def _named(arg: object) -> object:
    """Return the name of an error, which may quote what a server sent."""
    return type(arg).__name__ if isinstance(arg, Exception) else arg


def log_no_queries(base_url: str) -> None:
    """Keep the queries to a server out of urllib3's log, from now on; twice is as once."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    for name in ("urllib3.connectionpool", "urllib3.connection"):
        logging.getLogger(name).addFilter(NoQueries(parts.hostname or "", port))
