"""What `helm test` runs: the operator is ready, and Redis lets it in."""  # noqa: INP001

import os
import sys
import time
import urllib.error
import urllib.request

import redis


def ready() -> str:
    """Say what is amiss with the operator; nothing where it is ready."""
    url = os.environ["IDLEWATT_METRICS"] + "/readyz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own Service
            sys.stdout.write(answer.read().decode(errors="replace").strip() + "\n")
    except (urllib.error.URLError, OSError) as error:
        return f"{url} did not say that the operator is ready: {error}"
    return ""


def telemetry() -> str:
    """Say what is amiss with Redis; nothing where it answers to the operator's user."""
    options = {
        "username": os.environ.get("IDLEWATT_REDIS_USERNAME"),
        "password": os.environ.get("IDLEWATT_REDIS_PASSWORD"),
        "ssl_ca_certs": os.environ.get("IDLEWATT_REDIS_CA_FILE"),
    }
    given = {name: value for name, value in options.items() if value}
    try:
        with redis.Redis.from_url(os.environ["IDLEWATT_REDIS_URL"], **given) as client:
            position = client.get("idlewatt:telemetry:position")
            read = f"to {position.decode()}" if position else "no report yet"
            sys.stdout.write(f"Redis answers; the operator has read {read}.\n")
    except (redis.RedisError, OSError) as error:
        return f"Redis did not answer to the operator's user: {error}"
    return ""


give_up_at = time.monotonic() + float(os.environ.get("GIVE_UP_SECONDS", "90"))
while amiss := " ".join(filter(None, (ready(), telemetry()))):
    if time.monotonic() > give_up_at:
        sys.exit(amiss)
    time.sleep(2)
