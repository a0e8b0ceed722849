"""Simulated cars for a cluster that has none: they report to Redis as a vehicle gateway would.

    python3 cars.py drive                              # report for ever: the Deployment's command
    python3 cars.py show
    python3 cars.py set v-3f9c2a charge=28 supply=unplugged
    python3 cars.py set v-3f9c2a departure=+90s
    python3 cars.py set depot/row-a limit=1500

A car is woken when the operator asks for it, unless `wakes=false` is set. What was set is kept in
STATE and forgotten with the pod. Where Redis is comes from REDIS_URL, REDIS_USERNAME and
REDIS_PASSWORD.
"""

import fcntl
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import redis

FLEET = Path(os.environ.get("FLEET", "/cars/fleet.json"))
STATE = Path(os.environ.get("STATE", "/tmp/cars.json"))  # noqa: S108 - a pod's own /tmp
TELEMETRY, WAKES = "idlewatt:telemetry", "idlewatt:wake"
REPORT_EVERY_SECONDS = 5.0
KEPT_REPORTS = 100_000

Car: TypeAlias = dict[str, Any]

PARKED: Car = {
    "online": True,  # whether it reports at all
    "wakes": True,
    "power": "Awake",
    "charge": 71.0,
    "temperature": 21.0,
    "parked": True,
    "occupied": False,
    "site": None,
    "circuit": None,
    "supply": "supplied",
    "charging_watts": 0,
    "departure": None,
}
UNCURTAILED: Car = {"online": True, "load": None, "limit": None}

CHARGING_STATES = {"unplugged": "Idle", "plugged": "SuspendedEVSE", "supplied": "SuspendedEV"}
BATTERY = "Vehicle.Powertrain.TractionBattery."
DEPARTURE = "OCPP.NotifyEVChargingNeeds.chargingNeeds.departureTime"


class MistakeError(Exception):
    """Something that was written on the command line; the message is a sentence."""


def text_of(instant: datetime) -> str:
    """RFC 3339, in whole seconds."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def report_of(name: str, car: Car) -> dict[str, str]:
    """The entry of the stream that says of a car, or of a circuit, what is so now."""
    about = {"vehicle": name}
    if "/" in name:
        about = dict(zip(("site", "circuit"), name.split("/", 1), strict=True))
    data = circuit_signals(car) if "/" in name else car_signals(car)
    observed_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {**about, "observedAt": observed_at, "data": json.dumps(data)}


def car_signals(car: Car) -> dict[str, Any]:
    """What a car and its charger say; a sleeping car says that it sleeps, and nothing after it."""
    state = CHARGING_STATES[car["supply"]]
    return {
        f"{BATTERY}StateOfCharge.Current": car["charge"],
        f"{BATTERY}Temperature.Average": car["temperature"],
        "Vehicle.Powertrain.Transmission.IsParkLockEngaged": car["parked"],
        "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied": car["occupied"],
        "Idlewatt.Connection.Site": car["site"],
        "Idlewatt.Connection.Circuit": car["circuit"] if state != "Idle" else None,
        "OCPP.TransactionEvent.transactionInfo.chargingState": state,
        "OCPP.MeterValues.Power.Active.Import": car["charging_watts"],
        "Idlewatt.Power": car["power"],
        DEPARTURE: car["departure"],
    }


def circuit_signals(circuit: Car) -> dict[str, Any]:
    """What a circuit's meter says, and what the grid allows it."""
    data: dict[str, Any] = {"OpenADR.IMPORT_CAPACITY_LIMIT": circuit["limit"]}
    if circuit["load"] is not None:
        data["Idlewatt.Circuit.UncontrolledLoad"] = circuit["load"]
    return data


def flag(text: str) -> bool:
    """Read `true` or `false`."""
    if text not in {"true", "false"}:
        raise ValueError
    return text == "true"


def departure(text: str) -> str | None:
    """Read `+90s`, `+5m`, `+2h`, a time as in RFC 3339, or `none`."""
    if text == "none":
        return None
    ahead = re.fullmatch(r"\+(\d+)([smh])", text)
    if ahead is None:
        return text_of(datetime.fromisoformat(text).astimezone(UTC))
    unit = {"s": "seconds", "m": "minutes", "h": "hours"}[ahead[2]]
    return text_of(datetime.now(UTC) + timedelta(**{unit: int(ahead[1])}))


def watts_or_none(text: str) -> int | None:
    """Read whole watts, or `none`."""
    return None if text == "none" else int(text)


def word_of(*words: str) -> Callable[[str], str]:
    """Read one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return read


READ: dict[str, Callable[[str], Any]] = {
    "online": flag,
    "wakes": flag,
    "power": word_of("Awake", "Asleep", "Waking"),
    "charge": float,
    "temperature": float,
    "parked": flag,
    "occupied": flag,
    "site": str,
    "circuit": str,
    "supply": word_of(*CHARGING_STATES),
    "charging_watts": int,
    "departure": departure,
    "load": watts_or_none,
    "limit": watts_or_none,
}


def changed(known: Car, assignments: list[str]) -> Car:
    """What `charge=28 parked=false` makes of a car. Raises MistakeError."""
    car = dict(known)
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in car:
            sentence = f"`{assignment}`: there is no `{name}`; there are {', '.join(car)}."
            raise MistakeError(sentence)
        try:
            car[name] = READ[name](text)
        except ValueError as error:
            sentence = f"`{assignment}`: `{text}` is no value of `{name}`."
            raise MistakeError(sentence) from error
    return car


@contextmanager
def fleet() -> Iterator[dict[str, Car]]:
    """All cars and circuits by name; what is changed is written back, by one at a time."""
    with STATE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if STATE.exists():
            cars = json.loads(STATE.read_text())
        else:
            given = json.loads(FLEET.read_text()).items()
            cars = {name: (UNCURTAILED if "/" in name else PARKED) | car for name, car in given}
        before = json.dumps(cars)
        yield cars
        if not STATE.exists() or json.dumps(cars) != before:
            fresh = STATE.with_suffix(".new")
            fresh.write_text(json.dumps(cars))
            fresh.replace(STATE)


def connected() -> redis.Redis:
    """A client of the Redis that the environment names."""
    return redis.Redis.from_url(
        os.environ.get("REDIS_URL", "redis://localhost:6379/0"),
        username=os.environ.get("REDIS_USERNAME"),
        password=os.environ.get("REDIS_PASSWORD"),
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=5,
    )


def send(client: redis.Redis, name: str, car: Car) -> None:
    """One report."""
    fields: dict[Any, Any] = report_of(name, car)
    client.xadd(TELEMETRY, fields, maxlen=KEPT_REPORTS, approximate=True)


def drive() -> None:
    """Report every few seconds, and wake who is asked to; whatever becomes of Redis."""
    # The first process of a container is ended by no signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Entries are named after the time they were made at; older wishes are none of ours.
    client, seen, reported = connected(), f"{time.time_ns() // 1_000_000}-0", 0.0
    while True:
        try:
            for wish, vehicle in wishes_after(client, seen):
                seen = wish
                wake(client, vehicle)
            if time.monotonic() - reported >= REPORT_EVERY_SECONDS:
                reported = time.monotonic()
                report(client)
        except (redis.RedisError, OSError) as error:
            say(f"Redis does not answer, trying again: {error}")
            time.sleep(1)


def wishes_after(client: redis.Redis, seen: str) -> list[tuple[str, str]]:
    """The entries after that one, each with the vehicle it names; waits half a second for one."""
    streams: Any = client.xread({WAKES: seen}, block=500)
    return [(entry, fields["vehicle"]) for _, entries in streams for entry, fields in entries]


def report(client: redis.Redis) -> None:
    """What every car that is online says; a sleeping one is silent."""
    with fleet() as cars:
        for name, car in cars.items():
            if car["online"] and car.get("power") != "Asleep" and is_spoken_of(name, car):
                send(client, name, car)


def is_spoken_of(name: str, car: Car) -> bool:
    """A circuit of which nothing was ever set has no meter."""
    return "/" not in name or car["load"] is not None or car["limit"] is not None


def wake(client: redis.Redis, name: str) -> None:
    """A car was asked to wake."""
    with fleet() as cars:
        car = cars.get(name)
        if car is None or not (car["online"] and car["wakes"]):
            return
        car["power"] = "Awake"
        send(client, name, car)
    say(f"{name} wakes.")


def set_car(name: str, assignments: list[str]) -> None:
    """Change a car or a circuit, and report it at once. Raises MistakeError."""
    with fleet() as cars:
        if name not in cars:
            sentence = f"There is no {name}; there are {', '.join(cars)}."
            raise MistakeError(sentence)
        cars[name] = changed(cars[name], assignments)
        if cars[name]["online"]:
            send(connected(), name, cars[name])
        say(f"{name} {json.dumps(cars[name])}")


def show() -> None:
    """Every car, one a line."""
    with fleet() as cars:
        for name, car in cars.items():
            say(f"{name} {json.dumps(car)}")


def say(sentence: str) -> None:
    """To standard output, at once."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run one command; 2 where it was written wrongly, 1 where Redis did not take it."""
    try:
        match arguments:
            case ["drive"]:
                drive()
            case ["show"]:
                show()
            case ["set", name, *assignments] if assignments:
                set_car(name, assignments)
            case _:
                sys.stderr.write((__doc__ or "").split("\n\n")[1] + "\n")
                return 2
    except MistakeError as mistake:
        sys.stderr.write(f"{mistake}\n")
        return 2
    except redis.RedisError as error:
        sys.stderr.write(f"Redis did not take it: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
