"""The arithmetic of a walk, without I/O: which page is next, what is new, is it all there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from clopos_nb.items import Item, Items, Row, flattened, values_of

PASSES = 3  # a list that keeps changing is walked this often, then reported as incomplete
MOST_PAGES = 10_000  # of a list that says no total
SPARE_PAGES = 100  # beyond ten times those that the first page promised
STALE_PAGES = 3  # so many pages in a row that one pass saw before: the server repeats itself


@dataclass
class Walk:
    """Read all pages of a list that may change meanwhile.

    The page size is what arrives and the end is the server's ``total``, never a short page. Rows
    that come again are dropped by ``key``. When rows are missing at the end, something moved: the
    list is walked again, and from nothing when its total ever shrank, since a row that was deleted
    meanwhile would linger.

    Of pages asked for at once the answers overtake each other, so that a list that grew may look as
    if it had shrunk. It has when a total is below one that was known when that page was asked for,
    its ``floor``. When the last total is below another one and nothing tells why, the last page is
    looked at again, alone.

    A list that is ten times as long as its first page promised has no end: it is left incomplete.

    An endpoint that takes no paging answers whole, in as many ``parts`` as it has to be asked for.

    Attributes
    ----------
    total : int or None
        The server's own count, of the last page seen.
    highest : int
        The highest such count of the rows held: the floor of a page that is asked for now.
    rows : int
        Different rows seen and still held.
    pages, passes, duplicates : int
        Pages read; times walked; rows that came more than once in one pass.
    next_page : int or None
        The page to ask for now; None: the walk is over.
    restarted : bool
        The rows held before the next page are void.

    Examples
    --------
    >>> from clopos_nb.walks import Walk
    >>> walk = Walk()
    >>> len(walk.take([{"id": 1}, {"id": 2}], total=3)), walk.next_page
    (2, 2)
    >>> walk.take([{"id": 2}, {"id": 3}], total=3), walk.next_page, walk.complete
    ([{'id': 3}], None, True)
    """

    key: str = "id"
    paged: bool = True
    parts: int = 1
    tree: str | None = None
    total: int | None = None
    highest: int = 0
    rows: int = 0
    pages: int = 0
    passes: int = 1
    duplicates: int = 0
    next_page: int | None = 1
    restarted: bool = False
    _held: set[Any] = field(default_factory=set, repr=False)
    _this_pass: set[Any] = field(default_factory=set, repr=False)
    _nodes: int = 0  # rows with those inside them, when the list is a tree
    _unkeyed: int = 0
    _stale: int = 0
    _shrank: bool = False
    _looking: bool = False
    _most: int = MOST_PAGES
    _last: Items = field(default_factory=list, repr=False)

    @property
    def complete(self) -> bool:
        """Whether the rows held are the server's total, or all of an answer that has no pages.

        Whether the total of a tree counts its roots or every node is not documented: both count.
        """
        if self.total is None or self.parts > 1:
            return not self.paged and self.next_page is None
        return self.next_page is None and self._settled()

    def take(self, items: Items, total: int | None, *, floor: int | None = None) -> Items:
        """Note one page; return its rows that are new.

        ``floor`` is what ``highest`` was when the page was asked for; left out, it was asked for
        after the page before it had been taken.
        """
        self.restarted = False
        self.pages += 1
        if self.pages == 1 and total is not None:
            self._most = SPARE_PAGES + 10 * math.ceil(max(total, 0) / max(len(items), 1))
        if total is not None:
            self._shrank |= total < (self.highest if floor is None else floor)
            self.total, self.highest = total, max(self.highest, total)
        known = len(self._this_pass) + self._unkeyed
        # Of rows without a key nothing else tells that a server gives one page for all.
        repeated = self.paged and bool(self._unkeyed) and items == self._last
        fresh = [] if repeated else self._fresh(items)
        self._last = items
        self.rows += len(fresh)
        if self.tree:
            self._nodes += sum(1 for _ in flattened(fresh, self.tree))
        moved_on = len(self._this_pass) + self._unkeyed > known
        self._stale = 0 if moved_on else self._stale + 1
        self._turn(bool(items))
        return fresh

    def stop(self) -> None:
        """End the walk here: enough was read."""
        self.next_page = None

    def _fresh(self, items: Items) -> Items:
        """Return the items that were not held yet."""
        keys = values_of(items, self.key)
        found = set(keys) if set(map(type, keys)) == {int} else set()
        if len(found) == len(keys) and not (found & self._held or found & self._this_pass):
            self._this_pass |= found  # the usual page, all of it new
            self._held |= found
            return items
        return [item for item in items if self._is_new(item)]

    def _is_new(self, item: Row | Item) -> bool:
        identity = item.get(self.key)
        if isinstance(identity, str) and identity.isdecimal() and len(identity) < 20:
            identity = int(identity)  # 7 and "7" are one row
        if identity is None or isinstance(identity, list | dict):
            self._unkeyed += 1  # nothing to tell it by, so it is kept
            return True
        self.duplicates += identity in self._this_pass and not self._looking
        self._this_pass.add(identity)
        if identity in self._held:
            return False
        self._held.add(identity)
        return True

    def _turn(self, any_items: bool) -> None:
        reached = self.total is not None and self.rows >= self.total
        unclear = self.total is not None and self.total < self.highest and not self._shrank
        self._looking = False
        if not self.paged:
            page = self.next_page or self.parts
            self.next_page = page + 1 if page < self.parts else None
        elif self.pages >= self._most * self.passes:
            self.next_page = None
        elif any_items and not reached and self._stale < STALE_PAGES:
            self.next_page = (self.next_page or 0) + 1
        elif unclear:
            self._looking = True  # and next_page stays
        elif self._settled() or self.total is None or self.passes == PASSES:
            self.next_page = None
        else:
            self._again()

    def _settled(self) -> bool:
        return not self._shrank and self.total in (self.rows, self._nodes)

    def _again(self) -> None:
        self.passes += 1
        self.next_page = 1
        self._stale = 0
        self._this_pass.clear()
        if self._shrank or self._unkeyed:
            self.restarted = True
            self.rows = self._nodes = self._unkeyed = self.highest = 0
            self._held.clear()
        self._shrank = False
