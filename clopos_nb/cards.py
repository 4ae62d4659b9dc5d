"""The card that a session shows itself as: what is known already, in words that stay true a while.

A stored notebook is compared with a second run, and a reader looks at it minutes later. So times
and budgets are told roughly; ``session.token`` and ``session.quota`` have the numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clopos_nb import html
from clopos_nb.addresses import is_loopback
from clopos_nb.quota import Quota
from clopos_nb.tokens import Token

if TYPE_CHECKING:
    from clopos_nb.session import Session


def session_card(session: Session) -> str:
    """Return the HTML of a session; asks nobody, neither the server nor a prompt."""
    transport, venues = session._transport, session._venues
    host = transport.base_url.split("/")[2]
    here = is_loopback(host.rsplit(":", 1)[0])
    snapshot = session._reads.snapshot
    made_at = snapshot.manifest.made_at if snapshot else ""
    token = transport.held_token(session._credentials)
    stage = token.claims.get("stage") if token else None
    main = f"{venues.main.name}, the main one" if venues else "the main one"
    return html.card(
        "Clopos session",
        {
            "brand": session._known_brand or "not set",
            **({"stage, as the token says": str(stage)} if stage else {}),
            "server": "none" if snapshot else "this machine" if here else host,
            **({"snapshot": f"{snapshot.path.name}, made {made_at}"} if snapshot else {}),
            "time zone": session._reads.timezone or "as sent",
            "venues": "not read yet" if venues is None else str(len(venues)),
            "default venue": main if session._venue_id is None else str(session._venue_id),
            "token": life_left(token, transport.now()),
            "request budget": budget_left(transport.quota),
        },
    )


def life_left(token: Token | None, now: float) -> str:
    """Return roughly how long a token still lives: tens of minutes, minutes near its end.

    Examples
    --------
    >>> from clopos_nb.cards import life_left
    >>> from clopos_nb.credentials import Secret
    >>> token = Token(Secret("secret"), issued_at=0, expires_at=3600)
    >>> life_left(token, 130), life_left(token, 3300), life_left(None, 0)
    ('about 60 minutes left', 'about 5 minutes left', 'none in use yet')
    """
    if token is None:
        return "none in use yet"
    minutes = round(token.seconds_left(now) / 60)
    return f"about {minutes if minutes < 10 else round(minutes, -1)} minutes left"


def budget_left(quota: Quota) -> str:
    """Return roughly what the last answer left of the budget.

    Examples
    --------
    >>> from clopos_nb.cards import budget_left
    >>> budget_left(Quota(limit=300, remaining=240)), budget_left(Quota())
    ('more than half of 300 left at the last answer', 'not stated yet')
    """
    if quota.limit is None or quota.remaining is None:
        return "not stated yet"
    part = quota.remaining / max(quota.limit, 1)
    told = "more than half" if part > 0.5 else "less than half" if part > 0.1 else "less than 10 %"
    return f"{told} of {quota.limit} left at the last answer"
