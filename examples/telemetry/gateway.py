"""A small vehicle gateway: what a fleet's own feed says, onto the stream that idlewatt reads.

    export IDLEWATT_REDIS_URL=rediss://redis.example.com:6379/0 IDLEWATT_REDIS_USERNAME=gateway
    export IDLEWATT_REDIS_PASSWORD=... IDLEWATT_REDIS_CA_FILE=/etc/gateway/ca.crt
    your-feed | python gateway.py

It reads a JSON object a line on standard input, with the names of FEED below, and answers each
wish to wake with a line `wake VEHICLE` on standard output. It needs Python 3.11 and redis-py.
"""

import json
import os
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow
from redis.retry import Retry

TELEMETRY, WAKE = "idlewatt:telemetry", "idlewatt:wake"
KEPT_ENTRIES = 100_000  # of 200 cars that report once a minute, eight hours

# What the feed calls it, and the signal that it is. A name that the feed leaves out is not sent.
FEED = {
    "charge_percent": "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current",
    "pack_celsius": "Vehicle.Powertrain.TractionBattery.Temperature.Average",
    "park_lock": "Vehicle.Powertrain.Transmission.IsParkLockEngaged",
    "moving": "Vehicle.IsMoving",
    "driver_seat": "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied",
    "computer_celsius": "Idlewatt.Compute.Temperature",
    "charging_state": "OCPP.TransactionEvent.transactionInfo.chargingState",
    "meter_watts": "OCPP.MeterValues.Power.Active.Import",
    "offered_watts": "OCPP.MeterValues.Power.Import.Offered",
    "computing_watts": "Idlewatt.Compute.ImportPower",
    "power": "Idlewatt.Power",
    "departure": "OCPP.NotifyEVChargingNeeds.chargingNeeds.departureTime",
}

# Which circuit a charge point hangs on is the site's wiring; the feed knows the charge point.
CHARGE_POINTS = {"cp-12": ("depot-7", "row-a"), "cp-13": ("depot-7", "row-a")}


def entry_of(line: dict[str, Any]) -> dict[str, str]:
    """Make the stream's entry of a line of the feed; `at` is its time, seconds since 1970."""
    data = {signal: line[name] for name, signal in FEED.items() if name in line}
    if "charge_point" in line:
        site, circuit = CHARGE_POINTS.get(line["charge_point"], (None, None))
        data["Idlewatt.Connection.Site"] = site
        if circuit is not None:
            data["Idlewatt.Connection.Circuit"] = circuit
    observed_at = datetime.fromtimestamp(line["at"], UTC).isoformat(timespec="milliseconds")
    return {"vehicle": line["vehicle"], "observedAt": observed_at, "data": json.dumps(data)}


def wakes(client: redis.Redis, position: str) -> None:
    """Tell each wish to wake after that position. The feed's other half acts on it."""
    while True:
        for _, entries in client.xread({WAKE: position}, block=5_000):
            for wish, fields in entries:
                position = wish
                sys.stdout.write(f"wake {fields['vehicle']}\n")
                sys.stdout.flush()


def connect(retries: int = -1) -> redis.Redis:
    """Connect; while Redis is away, every command is tried again until it is back."""
    access = {
        "username": os.environ.get("IDLEWATT_REDIS_USERNAME"),
        "password": os.environ.get("IDLEWATT_REDIS_PASSWORD"),
        "ssl_ca_certs": os.environ.get("IDLEWATT_REDIS_CA_FILE"),
    }
    return redis.Redis.from_url(
        os.environ.get("IDLEWATT_REDIS_URL", "redis://localhost:6379/0"),
        decode_responses=True,
        protocol=2,
        socket_timeout=20,
        retry=Retry(ExponentialBackoff(cap=10, base=0.5), retries),
        retry_on_error=[Unreachable, TooSlow],
        **{name: value for name, value in access.items() if value},
    )


def main() -> None:
    """Publish until the feed ends."""
    try:
        connect(retries=0).ping()
    except AuthenticationError:
        raise  # to redis-py a kind of ConnectionError, which it would try for ever
    except (Unreachable, TooSlow):
        sys.stderr.write("Redis is away; waiting for it.\n")
    client = connect()
    newest = client.xrevrange(WAKE, count=1)  # what was wished before is obsolete
    position = newest[0][0] if newest else "0-0"
    threading.Thread(target=wakes, args=(connect(), position), daemon=True).start()
    for text in sys.stdin:
        try:
            entry = entry_of(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            sys.stderr.write(f"A line of the feed was passed over: {error!r}\n")
            continue
        client.xadd(TELEMETRY, entry, maxlen=KEPT_ENTRIES, approximate=True)


if __name__ == "__main__":
    try:
        main()
    except (redis.RedisError, TypeError, ValueError) as refusal:
        sys.exit(f"Redis does not take it: {refusal}")
