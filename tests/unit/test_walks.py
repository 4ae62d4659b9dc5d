"""Whatever a list does while it is read, a complete walk holds exactly its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from clopos_nb.walks import PASSES, Walk


@dataclass
class Shelf:
    """A list endpoint: clamps the page size, changes between requests, sends some rows twice."""

    ids: list[int]
    size: int
    inserts: dict[int, list[int]] = field(default_factory=dict)  # request number -> positions
    deletes: dict[int, list[int]] = field(default_factory=dict)
    repeats: set[int] = field(default_factory=set)  # request numbers whose page repeats a row
    requests: int = 0
    newest: int = 10_000
    moments: list[list[int]] = field(default_factory=list)  # what it held at each request

    def page(self, number: int) -> tuple[list[dict], int]:
        self.requests += 1
        for position in self.inserts.get(self.requests, []):
            self.newest += 1
            self.ids.insert(position % (len(self.ids) + 1), self.newest)
        for position in self.deletes.get(self.requests, []):
            if self.ids:
                del self.ids[position % len(self.ids)]
        self.moments.append(sorted(self.ids))
        rows = [{"id": i} for i in self.ids[(number - 1) * self.size : number * self.size]]
        if self.requests in self.repeats and rows:
            rows.append(rows[0])
        return rows, len(self.ids)


def read(shelf: Shelf) -> tuple[list[int], Walk]:
    walk, found = Walk(), []
    while (page := walk.next_page) is not None:
        items, total = shelf.page(page)
        found += [row["id"] for row in walk.take(items, total)]
        if walk.restarted:
            found.clear()
    return found, walk


def read_ahead(shelf: Shelf, order: Random, most: int = 8) -> tuple[list[int], Walk]:
    """Read as lanes do: several pages asked for at once, answered in any order, taken in theirs."""
    walk, found = Walk(), []
    floors: dict[int, int] = {}
    answered: dict[int, tuple[list[dict], int]] = {}
    while (page := walk.next_page) is not None:
        last = max(-(-(walk.total or 0) // shelf.size), page)
        for each in range(page, min(last, page + most - 1) + 1):
            floors.setdefault(each, walk.highest)
        while page not in answered:
            one = order.choice([each for each in floors if each not in answered])
            answered[one] = shelf.page(one)
        items, total = answered.pop(page)
        found += [row["id"] for row in walk.take(items, total, floor=floors.pop(page))]
        if walk.restarted:
            found.clear()
        if walk.next_page != page + 1:
            floors.clear()
            answered.clear()
    return found, walk


positions = st.lists(st.integers(0, 200), max_size=3)
first_pass = st.dictionaries(st.integers(2, 4), positions, max_size=3)
any_time = st.dictionaries(st.integers(2, 40), positions, max_size=6)
shelves = {
    "ids": st.lists(st.integers(0, 5_000), unique=True, min_size=0, max_size=120),
    "size": st.integers(1, 60),
    "repeats": st.sets(st.integers(1, 12), max_size=4),
}


@given(shelf=st.builds(Shelf, inserts=first_pass, **shelves))
def test_inserts_during_a_walk_clamps_and_duplicates_still_give_exactly_the_true_ids(shelf):
    found, walk = read(shelf)
    assert sorted(found) == sorted(shelf.ids)
    assert walk.complete
    assert walk.rows == walk.total == len(shelf.ids)


@given(shelf=st.builds(Shelf, deletes=st.fixed_dictionaries({2: positions}), **shelves))
def test_deleted_rows_do_not_linger_and_none_is_skipped(shelf):
    found, walk = read(shelf)
    assert sorted(found) == sorted(shelf.ids)
    assert walk.complete


@given(
    shelf=st.builds(Shelf, inserts=any_time, **shelves)
    | st.builds(Shelf, deletes=any_time, **shelves)
)
def test_a_walk_that_calls_itself_complete_is(shelf):
    found, walk = read(shelf)
    assert len(found) == len(set(found)) == walk.rows
    assert not walk.complete or sorted(found) == sorted(shelf.ids)
    assert walk.passes <= PASSES


@given(
    shelf=st.builds(Shelf, inserts=any_time, **shelves)
    | st.builds(Shelf, deletes=any_time, **shelves),
    order=st.randoms(use_true_random=False),
)
def test_a_complete_walk_whose_answers_overtake_each_other_holds_the_list_of_one_moment(
    shelf, order
):
    found, walk = read_ahead(shelf, order)
    assert len(found) == len(set(found)) == walk.rows
    assert not walk.complete or sorted(found) in shelf.moments
    assert walk.passes <= PASSES


@given(
    count=st.integers(40, 120),
    added=st.dictionaries(st.integers(2, 40), st.just([-1]), max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_rows_added_at_the_end_are_not_taken_for_deletions_when_answers_overtake_each_other(
    count, added, order
):
    shelf = Shelf(list(range(count)), size=10, inserts=added)
    found, walk = read_ahead(shelf, order)
    assert walk.complete
    assert found == shelf.ids
    assert (walk.passes, walk.duplicates) == (1, 0)


@given(
    ids=st.lists(st.integers(), unique=True, min_size=1, max_size=100),
    size=st.integers(1, 100),
)
def test_a_quiet_list_costs_no_request_more_than_its_pages(ids, size):
    shelf = Shelf(ids, size)
    read(shelf)
    assert shelf.requests == -(-len(ids) // size)


def test_a_server_that_ignores_the_page_number_is_left_and_not_called_complete():
    walk, requests = Walk(), 0
    while walk.next_page is not None:
        walk.take([{"id": 1}, {"id": 2}], total=5)
        requests += 1
    assert not walk.complete
    assert walk.rows == 2
    assert requests <= PASSES * 4


def test_without_a_total_reading_goes_on_to_the_empty_page_and_certifies_nothing():
    walk = Walk()
    for items in ([{"id": 1}], [{"id": 2}], []):
        assert walk.next_page is not None
        walk.take(items, total=None)
    assert walk.next_page is None
    assert walk.rows == 2
    assert not walk.complete


def test_more_rows_than_the_total_is_not_complete():
    walk = Walk()
    while walk.next_page is not None:
        walk.take([{"id": 1}, {"id": 2}], total=1)
    assert not walk.complete


def test_an_endpoint_without_pages_is_whole_in_one_answer():
    walk = Walk(paged=False)
    walk.take([{"id": 1}], total=None)
    assert walk.next_page is None
    assert walk.complete


def test_the_total_of_a_tree_may_count_its_roots_or_every_node():
    tree = [{"id": 1, "children": [{"id": 2, "children": []}, {"id": 3}]}]
    for total in (1, 3):
        walk = Walk(tree="children")
        walk.take(tree, total)
        if walk.next_page is not None:
            walk.take([], total)
        assert walk.complete, total
