from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from outbox.retry_pauses import MAX_ATTEMPTS, pause_after

CHANCES = st.floats(0, 1, exclude_max=True)


def pauses(chance: float) -> list[timedelta]:
    return [pause for n in range(1, MAX_ATTEMPTS) if (pause := pause_after(n, chance=chance))]


def test_ten_tries_span_three_days():
    assert len(pauses(0.5)) + 1 == 10
    assert sum(pauses(0.5), timedelta()) == timedelta(hours=72)


def test_the_tenth_try_is_the_last():
    assert pause_after(10, chance=0.5) is None
    assert pause_after(11, chance=0.5) is None


@given(CHANCES)
def test_each_pause_is_longer_than_the_one_before(chance):
    assert pauses(chance) == sorted(pauses(chance))


@given(st.integers(1, MAX_ATTEMPTS - 1), CHANCES)
def test_jitter_moves_a_try_by_a_tenth_at_most(attempt, chance):
    pause, middle = pause_after(attempt, chance=chance), pause_after(attempt, chance=0.5)

    assert pause is not None
    assert middle is not None
    assert abs(pause / middle - 1) <= 0.1001
