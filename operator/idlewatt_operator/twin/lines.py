"""A play where there is no terminal: a line for each hour, and for what must not be missed."""

from collections import Counter
from typing import Final

from rich.console import Console

from idlewatt_operator.twin.car import STATES
from idlewatt_operator.twin.journal import Fact, Kind
from idlewatt_operator.twin.night import Look, Play
from idlewatt_operator.twin.places import local_time
from idlewatt_scheduler.model.units import HOUR

_TOLD: Final = frozenset(
    {
        Kind.WAITING,
        Kind.PLACED,
        Kind.RELEASED,
        Kind.DRAINED,
        Kind.CURTAILED,
        Kind.RELIEVED,
        Kind.CHARGER,
        Kind.LINK_LOST,
        Kind.LINK_BACK,
        Kind.GIVEN_UP,
        Kind.FENCED,
        Kind.BROKEN,
        Kind.OFF_PEAK,
        Kind.ON_PEAK,
    }
)


class Lines:
    """Prints a play as plain lines."""

    def __init__(self, play: Play, console: Console) -> None:
        self._play = play
        self._console = console
        self._read = 0

    async def watch(self, look: Look) -> None:
        """Print what happened since the last look, and the hour when it is one."""
        facts = self._play.journal.facts
        for fact in facts[self._read :]:
            if fact.kind in _TOLD:
                self._print(f"{self._clock(fact)}  {fact.text}")
        self._read = len(facts)
        if (look.at - self._play.scenario.start) % HOUR == 0:
            self._print(self._hour(look))

    def _clock(self, what: Fact | Look) -> str:
        return f"{local_time(what.at, self._play.scenario.zone):%a %H:%M}"

    def _hour(self, look: Look) -> str:
        counts = Counter(look.states.values())
        fleet = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
        price = "no price" if look.price is None else f"${look.price:.3f} a kWh"
        peak = "off-peak" if look.off_peak else "on-peak"
        pods = f"{look.pods.get('working', 0)} pods work, {look.pods.get('waiting', 0)} wait"
        return (
            f"{self._clock(look)}  == {fleet}; {pods}; {look.computing_watts / 1_000:.1f} kW; "
            f"{price}, {peak}; ${look.paid:.2f} paid"
        )

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
