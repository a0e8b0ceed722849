"""examples/vehicle-agent: the sample guard, with a car, systemd and a runtime that are played."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.cluster.places import CHECKOUT

FOLDER = CHECKOUT / "examples" / "vehicle-agent"
GUARD = FOLDER / "idlewatt-guard"
UP_SECONDS = 5_000
STANDS = {
    "uptime": str(UP_SECONDS),
    "park_lock": "engaged",
    "occupied": "no",
    "on_battery": "no",
    "charge_percent": "71",
    "computer_celsius": "41",
}

SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >> "$LOG"
case "$*" in
    show*) cat "$AGENT_STATE" ;;
    stop*) echo inactive > "$AGENT_STATE" ;;
    start*) echo active > "$AGENT_STATE" ;;
esac
"""
# One pod `p1` with a container for each file in $CONTAINERS, named by its process. SIGKILL follows
# when the timeout is over, as in a real runtime.
CRICTL = """#!/bin/sh
echo "crictl $*" >> "$LOG"
[ ! -e "$BROKEN" ] || exit 1
case "$1" in
    pods) echo p1 ;;
    ps) ls "$CONTAINERS" ;;
    stop)
        kill -s TERM "$4"
        waited=0
        while kill -0 "$4" 2>/dev/null && [ "$waited" -lt "$3" ]; do
            sleep 1
            waited=$((waited + 1))
        done
        kill -s KILL "$4" 2>/dev/null
        ;;
esac
"""


@dataclass
class Car:
    """A car with an agent that runs, and the processes of its pods."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def says(self, **changed: str | None) -> None:
        """Let the car write its state; None leaves a line out."""
        lines = [
            f"{name}={value}" for name, value in {**STANDS, **changed}.items() if value is not None
        ]
        new = self.folder / "state.new"
        new.write_text("\n".join(lines) + "\n", encoding="utf-8")
        new.rename(self.folder / "state")

    @property
    def environment(self) -> Mapping[str, str]:
        """Where the guard finds all of it."""
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "STATE": str(self.folder / "state"),
            "UPTIME": str(self.folder / "uptime"),
            "CGROUPS": str(self.folder / "cgroup"),
            "LOG": str(self.folder / "log"),
            "AGENT_STATE": str(self.folder / "agent"),
            "BROKEN": str(self.folder / "broken"),
            "CONTAINERS": str(self.folder / "containers"),
            "GRACE_SECONDS": "2",
            "RETURN_AFTER_SECONDS": "1",
        }

    def runs(self, command: str) -> subprocess.Popen[bytes]:
        """A process in a pod's cgroup, which the runtime knows as a container."""
        process = subprocess.Popen(["sh", "-c", command])
        self.processes.append(process)
        (self.folder / "containers" / str(process.pid)).touch()
        cgroup = self.folder / "cgroup" / "kubepods.slice" / f"cri-{process.pid}.scope"
        cgroup.mkdir(parents=True)
        (cgroup / "cgroup.procs").write_text(f"{process.pid}\n", encoding="utf-8")
        return process

    def guard(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the guard while dead processes leave their cgroups, as the kernel makes them."""
        guard = subprocess.Popen(
            [str(GUARD), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while guard.poll() is None:
            self.reap()
            time.sleep(0.02)
        out, _ = guard.communicate()
        return subprocess.CompletedProcess(arguments, guard.returncode, out, "")

    def reap(self) -> None:
        """Take processes that ended out of their cgroups."""
        for process in self.processes:
            if process.poll() is not None:
                for procs in self.folder.glob(f"cgroup/*/cri-{process.pid}.scope/cgroup.procs"):
                    procs.write_text("", encoding="utf-8")

    @property
    def log(self) -> list[str]:
        """What the guard asked of systemd and of the runtime."""
        path = self.folder / "log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.fixture
def car(tmp_path: Path) -> Iterator[Car]:
    """A car that stands and may compute."""
    for name in ("bin", "containers", "cgroup"):
        (tmp_path / name).mkdir()
    for name, text in (("systemctl", SYSTEMCTL), ("crictl", CRICTL)):
        (tmp_path / "bin" / name).write_text(text, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "agent").write_text("active\n", encoding="utf-8")
    (tmp_path / "uptime").write_text(f"{UP_SECONDS}.42 1.00\n", encoding="utf-8")
    car = Car(tmp_path)
    car.says()
    yield car
    for process in car.processes:
        process.kill()
        process.wait()


def ticking(car: Car) -> Callable[[], None]:
    """Let the car's clock run on, each time it is called."""
    began = time.monotonic()

    def tick() -> None:
        up = UP_SECONDS + time.monotonic() - began
        new = car.folder / "uptime.new"
        new.write_text(f"{up:.2f} 1.00\n", encoding="utf-8")
        new.rename(car.folder / "uptime")

    return tick


def test_a_car_that_stands_may_compute(car: Car) -> None:
    """Nothing is in the way, and nothing is said."""
    done = car.guard("check")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"park_lock": "released"}, "the park lock is open"),
        ({"park_lock": None}, "the park lock is open"),
        ({"occupied": "yes"}, "somebody is in the vehicle"),
        ({"occupied": None}, "somebody is in the vehicle"),
        ({"uptime": str(UP_SECONDS - 31)}, "has said nothing for 31 s"),
        ({"uptime": "soon"}, "the vehicle says nothing"),
        ({"charge_percent": "?"}, "charge or temperature is not known"),
        ({"computer_celsius": None}, "charge or temperature is not known"),
        ({"on_battery": "yes", "charge_percent": "29"}, "the charge is 29 %"),
        ({"on_battery": None, "charge_percent": "29"}, "the charge is 29 %"),
        ({"computer_celsius": "86"}, "the computer is at 86 degrees"),
        ({"departure": "1768546800"}, "the vehicle leaves"),
    ],
)
def test_what_keeps_a_car_from_computing(
    car: Car, changed: dict[str, str | None], why: str
) -> None:
    """Each has a reason of its own, and what is not known is never taken for good."""
    car.says(**changed)
    done = car.guard("check")
    assert done.returncode == 1
    assert why in done.stdout


@pytest.mark.parametrize(
    "changed",
    [
        {"uptime": str(UP_SECONDS - 30)},
        {"on_battery": "yes", "charge_percent": "30"},
        {"charge_percent": "12"},
        {"computer_celsius": "85"},
        {"computer_celsius": "-12"},
        {"departure": "4000000000"},
    ],
)
def test_what_does_not(car: Car, changed: dict[str, str | None]) -> None:
    """The other side of each comparison; a low charge matters on the battery only."""
    car.says(**changed)
    assert car.guard("check").returncode == 0


def test_no_state_at_all(car: Car) -> None:
    """A car whose software does not write its state does not compute."""
    (car.folder / "state").unlink()
    assert "the vehicle says nothing" in car.guard("check").stdout


def test_vacating_stops_the_agent_first(car: Car) -> None:
    """What would start containers again goes first; then each container is asked with a grace."""
    process = car.runs("sleep 60")
    done = car.guard("vacate", "for a test")
    assert done.returncode == 0, done.stdout
    assert process.wait(1) == -signal.SIGTERM
    assert car.log[0] == "systemctl stop --no-block k3s-agent.service"
    assert f"crictl stop --timeout 2 {process.pid}" in car.log
    assert car.log.index(f"crictl stop --timeout 2 {process.pid}") < car.log.index(
        "crictl stopp p1"
    )
    assert "vacating: for a test" in done.stdout


def test_who_does_not_heed_is_killed(car: Car) -> None:
    """A container that ignores SIGTERM has ended when the grace is over."""
    process = car.runs("trap '' TERM; while :; do sleep 0.1; done")
    time.sleep(0.2)
    began = time.monotonic()
    done = car.guard("vacate")
    assert done.returncode == 0, done.stdout
    assert process.wait(1) == -signal.SIGKILL
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("heeds", [True, False])
def test_without_a_runtime(car: Car, *, heeds: bool) -> None:
    """Where containerd went with the agent, processes are asked, and then killed, themselves."""
    (car.folder / "broken").touch()
    tick = ticking(car)
    process = car.runs("sleep 60" if heeds else "trap '' TERM; while :; do sleep 0.1; done")
    time.sleep(0.2)
    guard = subprocess.Popen([str(GUARD), "vacate"], env=car.environment)
    while guard.poll() is None:
        tick()
        car.reap()
        time.sleep(0.02)
    assert guard.returncode == 0
    assert process.wait(1) == (-signal.SIGTERM if heeds else -signal.SIGKILL)


def test_what_cannot_be_ended_is_told(car: Car) -> None:
    """A process that stays, as one in the kernel's hands does, makes it fail with a sentence."""
    cgroup = car.folder / "cgroup" / "kubepods.slice"
    cgroup.mkdir(parents=True)
    (cgroup / "cgroup.procs").write_text("999999999\n", encoding="utf-8")
    (car.folder / "broken").touch()
    tick = ticking(car)
    guard = subprocess.Popen(
        [str(GUARD), "vacate"],
        env={**car.environment, "GRACE_SECONDS": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    while guard.poll() is None:
        tick()
        time.sleep(0.02)
    assert guard.returncode == 1
    assert "not vacated: 1 processes do not end" in guard.communicate()[0]


def test_watching_vacates_and_comes_back(car: Car) -> None:
    """The park lock opens: the car is vacated. It stands again: the agent is started again."""
    process = car.runs("sleep 60")
    tick = ticking(car)
    agent = car.folder / "agent"
    watch = subprocess.Popen(
        [str(GUARD), "watch"], env={**car.environment, "STATE_MAX_AGE_SECONDS": "600"}
    )

    def until(reached: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + 30
        while not reached():
            assert time.monotonic() < give_up_at
            tick()
            car.reap()
            time.sleep(0.02)

    try:
        until(lambda: any(line.startswith("systemctl show") for line in car.log))
        assert process.poll() is None
        car.says(park_lock="released")
        until(lambda: process.poll() is not None and agent.read_text() == "inactive\n")
        car.says()
        until(lambda: agent.read_text() == "active\n")
    finally:
        watch.kill()
        watch.wait()


def test_the_guard_is_plain_shell() -> None:
    """A car has no bash: the script is what every POSIX shell reads, and may be executed."""
    assert GUARD.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(GUARD)], check=True)
    assert os.access(GUARD, os.X_OK)


def test_units_start_what_is_there() -> None:
    """Every unit calls the guard where the page installs it, with a command that it has."""
    called = re.findall(
        r"^Exec\w+=/usr/local/sbin/idlewatt-guard (\w+)",
        "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.iterdir()),
        re.MULTILINE,
    )
    assert sorted(called) == ["check", "vacate", "watch"]
