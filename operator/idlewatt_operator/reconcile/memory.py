"""What a cycle remembers of the ones before: bounded by what is in the cluster, safe to lose."""

from collections.abc import Container
from dataclasses import dataclass, field

from idlewatt_operator.gateways.protocols import ClusterView, Condition
from idlewatt_operator.reconcile.advising import Advisor
from idlewatt_operator.reconcile.assumed import SentBindings
from idlewatt_operator.reconcile.backoff import Backoffs
from idlewatt_operator.reconcile.charging import Charges
from idlewatt_operator.reconcile.events import Said
from idlewatt_operator.reconcile.kept import Kept
from idlewatt_operator.reconcile.onward import SparedBatteries
from idlewatt_operator.reconcile.reported import SitePace
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_operator.reconcile.status import StatusPace
from idlewatt_operator.reconcile.wake import Wakes
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.units import Instant


@dataclass
class Memory:
    """Everything that outlives a cycle.

    Attributes:
        gone: UIDs that a write found gone while the watch still shows them.
        bound_before: our bound pods as the last cycle saw them, by UID.
        judged: the conditions that were written last, by kind and name.
        judged_at: when the objects were last looked through.
        looking_since: the first cycle, or the first one since telemetry could be read.
        is_deaf: telemetry could not be read in the last cycle.
    """

    sent: SentBindings
    backoffs: Backoffs
    wakes: Wakes
    batteries: SparedBatteries
    charges: Charges
    said: Said
    advisor: Advisor
    kept: Kept
    pace: StatusPace
    site_pace: SitePace
    gone: set[str] = field(default_factory=set)
    bound_before: dict[str, PodRecord] = field(default_factory=dict)
    judged: dict[tuple[str, str], tuple[Condition, ...]] = field(default_factory=dict)
    judged_at: Instant | None = None
    looking_since: Instant | None = None
    is_deaf: bool = False
    _unwritten: dict[str, PodRecord] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Memory":
        """Nothing remembered yet."""
        return cls(
            sent=SentBindings(settings.binding_settles_within),
            backoffs=Backoffs(settings.bind_backoff_first, settings.bind_backoff_most),
            wakes=Wakes(settings.wake_margin, settings.wake_avoided_for),
            batteries=SparedBatteries(settings.battery_spared_for),
            charges=Charges(
                settings.profiles_per_second,
                Backoffs(settings.bind_backoff_first, settings.bind_backoff_most),
            ),
            said=Said(settings.event_again_after),
            advisor=Advisor(settings.advised_at_most, settings.event_again_after),
            kept=Kept(),
            pace=StatusPace(settings.status_at_most_every, settings.status_writes_per_second),
            site_pace=SitePace(settings.status_at_most_every),
        )

    def since(self, at: Instant, *, is_deaf: bool) -> Instant:
        """Since when this cycle's sort of listening goes on: with telemetry, or without."""
        if self.looking_since is None or self.is_deaf is not is_deaf:
            self.looking_since = at
        self.is_deaf = is_deaf
        return self.looking_since

    def leaves(self, uid: str, at: Instant) -> bool:
        """Whether a pending pod is left alone in this cycle."""
        return uid in self.gone or self.backoffs.holds(uid, at)

    def keep_vanished(self, record: PodRecord) -> None:
        """It vanished, and could not be written down: look at it again in the next cycle."""
        self._unwritten[record.pod.uid] = record

    def end_cycle(self, situation: Situation) -> None:
        """Forget what is not in the cluster any more, and keep what the next cycle asks for."""
        pods = situation.view.pods
        self.gone &= pods.keys()
        self.backoffs.keep_only(pods)
        self.said.keep_only(pods)
        self.batteries.keep_only(situation.view.vehicles)
        self.charges.keep_only(situation.view.vehicles)
        self.pace.keep_only(situation.view.vehicles)
        self.site_pace.keep_only(situation.view.sites)
        self._keep_judged(situation.view)
        bound = {
            record.pod.uid: record for records in situation.bound.values() for record in records
        }
        self.bound_before = {**self._unwritten, **bound}
        self._unwritten = {}

    def _keep_judged(self, view: ClusterView) -> None:
        """What was written of an object that is gone, or mended, says nothing of the next one."""
        names: dict[str, Container[str]] = {
            "ParkingSite": view.sites,
            "EnergyTariff": view.tariffs,
            "FleetPolicy": {"default"},
        }
        refused = {(each.kind, each.name) for each in view.refused}
        self.judged = {
            key: conditions
            for key, conditions in self.judged.items()
            if key in refused or key[1] in names.get(key[0], ())
        }
