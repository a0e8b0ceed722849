"""A car whose link is gone: its node reaches no API server, and its gateway is silent."""

import threading
import time
from dataclasses import dataclass, field

from tests.e2e.stage import Stage

BACK_SECONDS = 120


@dataclass
class Cut:
    """A link that is cut and, by itself, mended.

    Attributes:
        seconds: how long it stays cut.
        began, mended: when, in seconds since 1970; None: not yet.
    """

    stage: Stage
    vehicle: str
    seconds: float
    began: float | None = None
    mended: float | None = None
    _thread: threading.Thread = field(init=False)
    _failed: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._mend_later, daemon=True)

    def start(self) -> "Cut":
        """Cut it now."""
        self.stage.cars.set(self.vehicle, online=False)
        self.stage.cluster.cut(self.vehicle)
        self.stage.cut_off.add(self.vehicle)
        self.began = time.time()
        self._thread.start()
        return self

    def since(self, instant: float) -> float:
        """Seconds from the cut to this instant."""
        assert self.began is not None
        return instant - self.began

    def wait(self) -> float:
        """Wait until it is mended; give the time at which it was."""
        self._thread.join(timeout=self.seconds + 60)
        if self._failed:
            raise self._failed[0]
        assert self.mended is not None
        self.stage.cut_off.discard(self.vehicle)
        return self.mended

    def ready_again(self) -> float:
        """Wait until its Node is Ready; give the time at which it became so."""
        found: list[str] = []

        def is_ready() -> bool:
            conditions = self.stage.api.get("Node", self.vehicle)["status"]["conditions"]
            (ready,) = [each for each in conditions if each["type"] == "Ready"]
            found.append(ready["lastTransitionTime"])
            return bool(ready["status"] == "True")

        self.stage.wait(is_ready, f"the Node {self.vehicle} is Ready", BACK_SECONDS)
        return self.stage.instant(found[-1])

    def _mend_later(self) -> None:
        assert self.began is not None
        time.sleep(max(0.0, self.began + self.seconds - time.time()))
        try:
            self.stage.cluster.mend(self.vehicle)
            self.mended = time.time()
        except BaseException as error:  # noqa: BLE001 - told by whoever waits
            self._failed.append(error)
