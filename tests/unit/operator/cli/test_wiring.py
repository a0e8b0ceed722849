"""The guard of the running operator, and its logs."""

import contextlib
import io
import json
import logging
import os
import time
from unittest.mock import create_autospec

import pytest

from idlewatt_operator.cli import wiring
from idlewatt_operator.cli.leading import StoppedShort
from idlewatt_operator.cli.logs import JsonFormatter
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.settings import Settings
from idlewatt_operator.twin.clock import ManualClock

LIMIT = Settings(heartbeat_age_limit=100)


async def nothing() -> Report | None:
    """A cycle with nothing to decide on."""
    return None


def guarded_for(seconds: float, *, beating: bool) -> None:
    """Guard a loop for so long, whose cycles end or do not."""
    loop = Loop(nothing, ManualClock(0), LIMIT)
    with wiring._guarded(loop, LIMIT):  # noqa: SLF001 - the guard is the wiring's own affair
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.01)
            loop.beats += beating


def test_a_process_whose_cycles_do_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever hangs, a thread of its own ends it with a status of its own."""
    statuses: list[int] = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    guarded_for(0.3, beating=False)
    assert set(statuses) == {75}


def test_a_process_whose_cycles_end_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it runs."""
    statuses: list[int] = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    guarded_for(0.3, beating=True)
    assert statuses == []


@pytest.mark.parametrize(("age_seconds", "may_still_be_done"), [(14.9, True), (15.0, False)])
def test_nobody_else_is_let_lead_while_a_write_may_still_be_done(
    age_seconds: float, *, may_still_be_done: bool
) -> None:
    """An API server that answered too late may bind once another has planned the same place."""
    cluster = create_autospec(KubernetesCluster, instance=True)
    cluster.unknown_write_age_seconds = age_seconds
    expected = pytest.raises(StoppedShort) if may_still_be_done else contextlib.nullcontext()
    with expected:
        wiring._all_is_answered(cluster, Settings())  # noqa: SLF001 - the wiring's own affair


def test_a_log_line_for_machines_is_one_json_object() -> None:
    """Time, level, logger and message; a trace stays on the same line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("idlewatt_operator.x")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise ValueError("no")  # noqa: EM101, TRY301 - to be logged
    except ValueError:
        logger.exception("It failed: %s", "so")
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["message"]) == ("error", "It failed: so")
    assert entry["time"].endswith("Z")
    assert "ValueError: no" in entry["trace"]
