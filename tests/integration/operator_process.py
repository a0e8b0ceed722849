"""The operator as a process of its own, with a clock that a test can move.

    python -m tests.integration.operator_process FOLDER KUBECONFIG REDIS_URL

It is the wiring of `idlewatt run`, whole. Only its clock is the wall's plus the seconds in
FOLDER/offset, read anew each time, and it plans every three seconds rather than every ten. Each
cycle adds a line to FOLDER/cycles.jsonl; the snapshot and the plan of one that placed something
are kept beside it.
"""

import asyncio
import json
import pickle
import sys
import time
from dataclasses import replace
from pathlib import Path

from idlewatt_operator.cli.logs import log_to
from idlewatt_operator.cli.wiring import Options, run_operator
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.units import SECOND, Instant


class MovedClock:
    """The wall's clock and the offset in a file."""

    def __init__(self, offset: Path) -> None:
        self._offset = offset

    def now(self) -> Instant:
        """The present instant, as the test wants it."""
        return time.time_ns() // 1_000_000 + int(self._offset.read_text()) * SECOND

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` of the wall's have passed."""
        await asyncio.sleep(seconds)


def resident_bytes() -> int:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096


def main(folder: Path, kubeconfig: Path, redis_url: str) -> None:
    """Run until SIGTERM, or until it is killed."""
    log_to(sys.stderr)
    clusters: list[KubernetesCluster] = []
    with (folder / "cycles.jsonl").open("a", buffering=1) as lines:

        def note(report: Report) -> None:
            entry = {
                "at": report.situation.at,
                "seconds": dict(report.seconds),
                "bound": report.done("bind"),
                "placed": len(report.plan.placements),
                "waiting": len(report.plan.waiting),
                "running": len(report.situation.snapshot.running),
                "vehicles": len(report.situation.snapshot.vehicles),
                "writes": dict(clusters[-1].writes),
                "resident": resident_bytes(),
            }
            lines.write(json.dumps(entry) + "\n")
            if report.plan.placements:
                keep_plan(folder, report)

        asyncio.run(
            run_operator(
                Options(
                    kubeconfig,
                    RedisAddress(redis_url),
                    Settings(cycle_at_least_every=3 * SECOND),
                ),
                clock=MovedClock(folder / "offset"),
                on_report=note,
                on_cluster=clusters.append,
            )
        )


def keep_plan(folder: Path, report: Report) -> None:
    """Keep the snapshot and the plan, for the independent check to judge afterwards."""
    snapshot = report.situation.snapshot
    plain = replace(
        snapshot,
        nodes=dict(snapshot.nodes),
        sites=dict(snapshot.sites),
        tariffs=dict(snapshot.tariffs),
    )
    (folder / f"plan-{snapshot.at}.pickle").write_bytes(pickle.dumps((plain, report.plan)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
