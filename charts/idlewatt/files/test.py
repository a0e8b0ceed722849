"""What `helm test` runs: the operator is ready, and Redis lets it in."""

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
        with urllib.request.urlopen(url, timeout=5) as answer:
            print(answer.read().decode(errors="replace").strip())
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
            print(f"idlewatt:telemetry holds {client.xlen('idlewatt:telemetry')} reports")
    except (redis.RedisError, OSError) as error:
        return f"Redis did not answer to the operator's user: {error}"
    return ""


give_up_at = time.monotonic() + 90
while amiss := " ".join(filter(None, (ready(), telemetry()))):
    if time.monotonic() > give_up_at:
        sys.exit(amiss)
    time.sleep(2)
