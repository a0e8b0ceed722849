"""The simulated cars of examples/kind, changed as a user would: `kubectl exec` in their pod."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

NAMESPACE: Final = "idlewatt"
PROGRAM: Final = ("python3", "/cars/cars.py")

PARKED: Final[dict[str, object]] = {
    "online": True,
    "wakes": True,
    "power": "Awake",
    "charge": 71,
    "temperature": 21,
    "parked": True,
    "occupied": False,
    "supply": "supplied",
    "charging_watts": 0,
    "departure": None,
    "site": "depot",
}


@dataclass
class Cars:
    """The cars, by the vehicle's name, and when what was changed.

    Args:
        kubectl: runs kubectl with these arguments and gives what it printed.
    """

    kubectl: Callable[..., str]
    changes: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def set(self, name: str, **what: object) -> float:
        """Let a car, or `site/circuit`, report this from now on; give when it was asked to."""
        words = [f"{key}={_text(value)}" for key, value in what.items()]
        at = time.time()
        told = self._run("set", name, *words)
        _, _, state = told.strip().partition(" ")
        self.changes.append((at, name, json.loads(state)))
        return at

    def park(self, *vehicles: str, **but: object) -> None:
        """Let each stand there, awake, empty, supplied and well charged, but for what is named."""
        for vehicle in vehicles:
            self.set(vehicle, **(PARKED | but))

    def show(self) -> str:
        """What each reports, one a line."""
        return self._run("show")

    def _run(self, *words: str) -> str:
        return self.kubectl("-n", NAMESPACE, "exec", "deploy/cars", "--", *PROGRAM, *words)


def _text(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
