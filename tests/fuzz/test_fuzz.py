"""Five seconds of `make fuzz`, always with the same seed."""

from __future__ import annotations

from fuzz_sandbox import fuzz


def test_five_seconds_of_nonsense_get_clear_answers_and_stop_nothing():
    counts = fuzz(5, first_seed=3)
    assert counts["requests"] > 0  # how many depends on the machine; each was checked
