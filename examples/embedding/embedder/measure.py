"""Measures the server on this machine: `python -m embedder.measure --out result.json`.

For one processor and for two, and for 1, 8 and 32 texts in a request, a server is started, warmed
and sent as many requests as it takes. Beside what a client sees, the processor time that the
server itself spent is read from /proc: that figure holds on a busy machine, too.

Watts are not measured. Few cars and fewer virtual machines let a process read a meter, so they
come from a model: see `watts`.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

# The model of watts: a straight line from idle to full use, for each processor (a hardware thread),
# plus memory. The coefficients are those of Cloud Carbon Footprint for a server of unknown make
# (packages/aws/src/domain/AwsFootprintEstimationConstants.ts, at commit 0656d555): averages over
# SPECpower results. Another machine has others.
IDLE_WATTS = 0.74
FULL_WATTS = 3.5
WATTS_PER_GIGABYTE = 0.392

BATCHES = (1, 8, 32)
WARMING_SECONDS = 1.0
PORT = 18_473
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Round:
    """One load on one server."""

    processors: int
    batch: int
    requests_per_second: float
    texts_per_second: float
    median_ms: float
    p99_ms: float
    utilisation: float
    texts_per_processor_second: float
    memory_megabytes: float
    watts: float
    joules_per_text: float


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its process, the processors it may use, and how long it took to start."""

    process: int
    processors: int
    ready_seconds: float
    load_seconds: float

    def processor_seconds(self) -> float:
        """Give the processor time that the process has spent."""
        # The name in the second field may hold spaces; after its bracket the fields are plain.
        text = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def memory_megabytes(self) -> float:
        """Give the most memory that the process has held."""
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6


def watts(processors: int, utilisation: float, memory_megabytes: float) -> float:
    """Give the modelled watts of a process: its processors between idle and full, its memory."""
    of_processor = IDLE_WATTS + (FULL_WATTS - IDLE_WATTS) * utilisation
    return processors * of_processor + WATTS_PER_GIGABYTE * memory_megabytes / 1000


def main() -> int:
    """Measure, print a table, and write everything as JSON where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m embedder.measure", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each of them (5)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the median is shown (3)")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    options = parser.parse_args()
    here = sorted(os.sched_getaffinity(0))
    rounds: list[Round] = []
    starts: list[Server] = []
    for processors in (1, 2):
        if processors > len(here):
            sys.stderr.write(f"This machine has {len(here)} processors: {processors} left out.\n")
            continue
        with running(here[:processors]) as server:
            starts.append(server)
            for batch in BATCHES:
                rounds.append(measured(server, here, batch, options.seconds, options.repeat))
                sys.stderr.write(f"{processors} processors, {batch} texts: done\n")
    result = {
        "loaded_machine": os.getloadavg()[1],
        "ready_seconds": [round(server.ready_seconds, 2) for server in starts],
        "load_seconds": [round(server.load_seconds, 2) for server in starts],
        "rounds": [asdict(each) for each in rounds],
    }
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table(rounds, starts))
    return 0


@contextmanager
def running(processors: list[int]) -> Iterator[Server]:
    """Start a server that may use these processors only, and end it as Kubernetes does."""
    environment = {
        **os.environ,
        "EMBEDDER_HOST": "127.0.0.1",
        "EMBEDDER_PORT": str(PORT),
        "EMBEDDER_THREADS": str(len(processors)),
        "EMBEDDER_DRAIN_SECONDS": "0",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "embedder"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        os.sched_setaffinity(process.pid, processors)
        wait_until_ready(process)
        took = time.perf_counter() - began
        yield Server(process.pid, len(processors), took, loaded_in())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def wait_until_ready(process: "subprocess.Popen[bytes]") -> None:
    """Wait for the server's own word. Raises RuntimeError if it ended instead."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.02)
    message = f"the server ended with status {process.returncode}; run `python -m embedder` to see"
    raise RuntimeError(message)


def loaded_in() -> float:
    """Give how long the model took to load, as the server counts it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    (value,) = (
        line.split()[1] for line in lines if line.startswith("embedder_model_load_seconds ")
    )
    return float(value)


def measured(server: Server, here: list[int], batch: int, seconds: float, repeat: int) -> Round:
    """Warm the server, then give the median of some rounds."""
    load(server, here, batch, WARMING_SECONDS)
    found = [one_round(server, here, batch, seconds) for _ in range(repeat)]
    middle = median([each.texts_per_second for each in found])
    return min(found, key=lambda each: abs(each.texts_per_second - middle))


def one_round(server: Server, here: list[int], batch: int, seconds: float) -> Round:
    """Send for so long, and set what the client saw beside what the server spent."""
    before = server.processor_seconds()
    seen = load(server, here, batch, seconds)
    spent = server.processor_seconds() - before
    utilisation = min(1.0, spent / (seen["seconds"] * server.processors))
    memory = server.memory_megabytes()
    power = watts(server.processors, utilisation, memory)
    return Round(
        processors=server.processors,
        batch=batch,
        requests_per_second=seen["requests_per_second"],
        texts_per_second=seen["texts_per_second"],
        median_ms=seen["latency_ms"]["median"],
        p99_ms=seen["latency_ms"]["p99"],
        utilisation=round(utilisation, 3),
        texts_per_processor_second=round(seen["answered"] * batch / spent, 1),
        memory_megabytes=round(memory),
        watts=round(power, 2),
        joules_per_text=round(power / seen["texts_per_second"], 4),
    )


def load(server: Server, here: list[int], batch: int, seconds: float) -> dict[str, Any]:
    """Run the client that counts, on the other processors where there are any."""
    command = [sys.executable, "-m", "embedder.load", f"http://127.0.0.1:{PORT}"]
    command += ["--seconds", str(seconds), "--batch", str(batch)]
    # One request in the model for each processor, and one that waits: it never stands idle.
    command += ["--concurrency", str(server.processors + 1)]
    client = subprocess.Popen(  # noqa: S603 - our own client, with arguments of our own
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    os.sched_setaffinity(client.pid, here[server.processors :] or here)
    said, _ = client.communicate()
    if client.returncode != 0:
        message = f"requests were lost, so this is no measurement: {said}"
        raise RuntimeError(message)
    result: dict[str, Any] = json.loads(said)
    return result


def table(rounds: list[Round], starts: list[Server]) -> str:
    """Write the results as a table in Markdown, and a line on starting."""
    head = (
        "processors", "texts a request", "requests/s", "texts/s", "median ms", "p99 ms",
        "texts a processor second", "W (model)", "J a text (model)",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        f"| {each.processors} | {each.batch} | {each.requests_per_second:.0f} "
        f"| {each.texts_per_second:.0f} | {each.median_ms:.0f} | {each.p99_ms:.0f} "
        f"| {each.texts_per_processor_second:.0f} | {each.watts:.1f} "
        f"| {each.joules_per_text:.3f} |"
        for each in rounds
    ]
    load_seconds = max(server.load_seconds for server in starts)
    ready_seconds = max(server.ready_seconds for server in starts)
    memory = max(each.memory_megabytes for each in rounds)
    lines.append("")
    lines.append(
        f"Ready {ready_seconds:.1f} s after its start, {load_seconds:.1f} s of them for the model; "
        f"{memory:.0f} MB of memory at most."
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
