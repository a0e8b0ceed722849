"""What a client that counts makes of its requests: each counted once, and none glossed over."""

import pytest
from embedder.tally import SHOWN_FAILURES, Tally


def a_tally(latencies: list[float]) -> Tally:
    """A run in which one request was answered each second, beginning at 100."""
    tally = Tally()
    tally.begin(100.0)
    for index, seconds in enumerate(latencies, start=1):
        tally.answered(seconds, "pod-a", 100.0 + index)
    tally.end(100.0 + len(latencies))
    return tally


def test_every_request_is_counted_once() -> None:
    """Sent is answered and failed together, and each failure has its kind."""
    tally = a_tally([0.01, 0.02])
    tally.failed("timeout", "", 101.0)
    tally.failed("timeout", "", 101.0)
    tally.failed("status 503", "busy", 101.5)
    summary = tally.summary(batch=8)
    assert (summary["sent"], summary["answered"], summary["failed"]) == (5, 2, 3)
    assert summary["failures"] == {"timeout": 2, "status 503": 1}
    assert summary["first_failures"][2] == {"at_second": 1.5, "kind": "status 503", "said": "busy"}
    assert summary["texts_per_second"] == 8.0
    assert tally.sentence() == "2 answered, 3 lost"


def test_latencies_are_ranks_and_not_averages() -> None:
    """Of a hundred the 50th and the 99th by length, and the longest."""
    tally = a_tally([index / 1000 for index in range(100, 0, -1)])
    assert tally.summary(batch=1)["latency_ms"] == {"median": 50.0, "p99": 99.0, "max": 100.0}


@pytest.mark.parametrize(("latencies", "failed", "clean"), [([0.1], 0, True), ([0.1], 1, False)])
def test_clean_means_that_none_was_lost(
    latencies: list[float], failed: int, *, clean: bool
) -> None:
    """One lost request is enough to fail."""
    tally = a_tally(latencies)
    for _ in range(failed):
        tally.failed("timeout", "", 101.0)
    assert tally.is_clean() is clean


def test_a_run_without_requests_is_not_clean() -> None:
    """That nothing was lost is no success where nothing was sent."""
    tally = Tally()
    tally.begin(0.0)
    tally.end(1.0)
    assert not tally.is_clean()
    assert tally.summary(batch=1)["latency_ms"]["median"] is None


def test_the_longest_gap_counts_to_the_end() -> None:
    """A server that falls silent shows, also when nothing came after the silence."""
    tally = a_tally([0.1, 0.1])
    tally.end(107.0)
    assert tally.summary(batch=1)["longest_gap_ms"] == 5000.0


def test_the_first_failures_are_shown_and_the_rest_counted() -> None:
    """A dead server does not fill the log."""
    tally = a_tally([0.1])
    for _ in range(50):
        tally.failed("connection refused", "no", 101.0)
    summary = tally.summary(batch=1)
    assert (len(summary["first_failures"]), summary["failed"]) == (SHOWN_FAILURES, 50)
