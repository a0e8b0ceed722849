"""Carrying decisions out: every write of a cycle goes through here, and its answer is heeded."""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Final

from idlewatt_operator.gateways.protocols import (
    Clock,
    ClusterGateway,
    EventNote,
    Outcome,
    Result,
    TelemetryGateway,
)
from idlewatt_operator.reconcile import binding as bindings
from idlewatt_operator.reconcile import drain as drains
from idlewatt_operator.reconcile.binding import Answer, Binding, Renewal
from idlewatt_operator.reconcile.drain import Drain, Marking
from idlewatt_operator.reconcile.events import (
    DRAINING,
    FAILED_SCHEDULING,
    Explanation,
    drained,
    failed,
    scheduled,
)
from idlewatt_operator.reconcile.fence import Lowering
from idlewatt_operator.reconcile.findings import Verdicts
from idlewatt_operator.reconcile.flight import each
from idlewatt_operator.reconcile.lost import GivingUp
from idlewatt_operator.reconcile.memory import Memory
from idlewatt_operator.reconcile.onward import Regret
from idlewatt_operator.reconcile.replacement import Release
from idlewatt_operator.reconcile.report import Decisions
from idlewatt_operator.reconcile.reported import CircuitsWrite
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_operator.reconcile.status import StatusWrite
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.reasons import MoveReason, PodReason
from idlewatt_scheduler.model.units import SECOND

_log = logging.getLogger(__name__)

_REGRET: Final = "Regret"

_UNHURRIED: Final = 8
"""Writes in flight that must not be in the way of bindings."""


class Writing:
    """The writes of one cycle.

    Attributes:
        outcomes: how many writes of each kind ended how.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that a write may need
        self,
        cluster: ClusterGateway,
        telemetry: TelemetryGateway | None,
        clock: Clock,
        memory: Memory,
        settings: Settings,
        situation: Situation,
    ) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._cluster = cluster
        self._telemetry = telemetry
        self._clock = clock
        self._memory = memory
        self._in_flight = settings.writes_in_flight
        self._at = situation.at
        self._unsaid: list[EventNote] = []

    async def decisions(self, decisions: Decisions) -> None:
        """Step 6: first what keeps promises, then what makes new ones."""
        await each(decisions.lower, self._lower, self._in_flight)
        await each(decisions.mark, self._mark, self._in_flight)
        await each(decisions.drain, self._drain, self._in_flight)
        await each(decisions.release, self._release, self._in_flight)
        await each(decisions.give_up, self._give_up, self._in_flight)
        await each(decisions.wake, self._wake, self._in_flight)
        await each(decisions.renew, self._renew, self._in_flight)
        await each(decisions.bind, self._bind, self._in_flight)
        await each(decisions.regret, self._regret, self._in_flight)

    async def explanations(self, explanations: Iterable[Explanation]) -> None:
        """Step 7: events, and conditions that do not say so yet.

        That a pod was bound is said here too: its binding must not wait for an event.
        """
        await each(self._unsaid, self._cluster.say, self._in_flight)
        self._unsaid.clear()
        await each(explanations, self._explain, self._in_flight)

    async def statuses(self, statuses: Iterable[StatusWrite]) -> None:
        """Step 8: the vehicles' status."""
        await each(statuses, self._write_status, _UNHURRIED)

    async def circuits(self, writes: Iterable[CircuitsWrite]) -> None:
        """Step 8: what was reported of circuits."""
        await each(writes, self._write_circuits, _UNHURRIED)

    async def verdicts(self, verdicts: Iterable[Verdicts]) -> None:
        """Step 8: conditions of what a person has to mend, where they changed."""
        await each(verdicts, self._judge, _UNHURRIED)

    async def taints(self, nodes: Iterable[str]) -> None:
        """Step 9: the permanent taint."""
        for node, result in await each(nodes, self._cluster.keep_taint, _UNHURRIED):
            self._count("taint", result, f"Node {node}")

    def _count(self, verb: str, result: Result, about: str) -> bool:
        """Count a write; whether it was done."""
        self.outcomes[verb, str(result.outcome)] += 1
        if result.outcome in {Outcome.REFUSED, Outcome.UNKNOWN}:
            _log.warning("%s of %s: %s. %s", verb, about, result.outcome, result.message)
        return result.outcome is Outcome.DONE

    async def _lower(self, lowering: Lowering) -> None:
        result = await self._cluster.set_active_deadline(lowering.record, lowering.seconds)
        self._count("fence", result, lowering.record.pod.key)

    async def _mark(self, marking: Marking) -> None:
        result = await self._cluster.write_conditions(
            "VehicleNode", marking.vehicle, (marking.condition,)
        )
        self._count("draining", result, marking.vehicle)

    async def _drain(self, drain: Drain) -> None:
        result = await drains.drain(drain, self._cluster)
        pod = drain.record.pod
        if self._count("evict", result, pod.key):
            message = f"Leaves {drain.vehicle}: {drain.because}."
            await self._say_once(drain, drain.reason, message, warning=False)
        elif result.outcome is Outcome.BLOCKED:
            message = (
                f"Has to leave {drain.vehicle}, since {drain.because}, but may not be evicted yet: "
                f"{result.message or 'a disruption budget blocks it'}"
            )
            await self._say_once(drain, f"{drain.reason}/Blocked", message, warning=True)

    async def _release(self, release: Release) -> None:
        """Where it cannot be released it is evicted, unless it may as well stay."""
        drain = release.drain
        result = await self._cluster.release(drain.record, release.mark)
        if self._count("release", result, drain.record.pod.key):
            message = (
                f"Leaves {drain.vehicle} once another one is ready in its place, "
                f"since {drain.because}."
            )
            await self._say_once(drain, f"{drain.reason}/Released", message, warning=False)
        elif result.outcome is Outcome.REFUSED and drain.reason != MoveReason.CHEAPER_ELSEWHERE:
            await self._drain(drain)

    async def _say_once(self, drain: Drain, what: str, message: str, *, warning: bool) -> None:
        uid, said = drain.record.pod.uid, self._memory.said
        if said.is_due(uid, DRAINING, what, self._at):
            said.note(uid, DRAINING, what, self._at)
            await self._cluster.say(drained(drain.record.pod, message, warning=warning))

    async def _give_up(self, decision: GivingUp) -> None:
        """What counts is written first; an object is removed only once it is."""
        if decision.changed:
            result = await self._cluster.write_given_up(decision.vehicle, decision.entries)
            if not self._count("give-up", result, decision.vehicle):
                for record in decision.vanished:
                    self._memory.keep_vanished(record)
                return
        for record in decision.remove:
            result = await self._cluster.remove(record)
            if self._count("remove", result, record.pod.key):
                message = (
                    f"Given up: {decision.vehicle} has not been heard from for too long. "
                    "Its controller may start another one."
                )
                await self._cluster.say(drained(record.pod, message, warning=True))

    async def _wake(self, vehicle: str) -> None:
        if self._telemetry is None:
            self._memory.wakes.failed(vehicle, self._at)
            return
        self._memory.wakes.asked(vehicle, self._at)
        result = await self._telemetry.wake(vehicle)
        self._count("wake", result, vehicle)
        if result.outcome not in {Outcome.DONE, Outcome.UNKNOWN}:
            self._memory.wakes.failed(vehicle, self._at)

    async def _renew(self, renewal: Renewal) -> None:
        result = await self._cluster.evict(renewal.record)
        if self._count("renew", result, renewal.record.pod.key):
            message = (
                "Replaced before it ran: its deadline was set for a vehicle that it did not reach, "
                "and a deadline cannot be raised."
            )
            await self._cluster.say(drained(renewal.record.pod, message))

    async def _bind(self, binding: Binding) -> None:
        record = binding.record
        uid = record.pod.uid
        self._memory.sent.sending(record, binding.assumed, self._at)
        answer = await bindings.bind(binding, self._cluster, self._clock.now())
        done = self._count("bind" if answer.sent else "fence", answer.result, record.pod.key)
        if not answer.sent:
            self._memory.sent.forget(uid)
        if done:
            self._memory.sent.done(uid, self._at)
            self._unsaid.append(scheduled(record.pod, binding.placement.node))
        else:
            await self._not_bound(binding, answer)

    async def _not_bound(self, binding: Binding, answer: Answer) -> None:
        """Gone is forgotten, refused is told; where nobody knows, the pod is asked next time."""
        pod, outcome = binding.record.pod, answer.result.outcome
        if outcome is Outcome.GONE:
            self._memory.sent.forget(pod.uid)
            self._memory.gone.add(pod.uid)
            return
        patience = self._memory.backoffs.refused(pod.uid, self._at)
        if outcome in {Outcome.REFUSED, Outcome.BLOCKED}:
            self._memory.sent.forget(pod.uid)
        if outcome is Outcome.REFUSED:
            message = (
                f"{binding.placement.node} was chosen, and the API server refused: "
                f"{answer.result.message or 'it did not say why'}. "
                f"Tried again in {(patience.until - self._at) // SECOND} s."
            )
            await self._cluster.say(failed(pod, message))

    async def _regret(self, regret: Regret) -> None:
        """Not bound: the pod and the vehicle's battery are left alone for a while."""
        placement = regret.placement
        self._memory.backoffs.refused(placement.pod.uid, self._at)
        if regret.reason in {PodReason.DEPARTURE_CHARGE_AT_RISK, PodReason.BELOW_RESERVE}:
            self._memory.batteries.spare(placement.node, self._at)
        message = (
            f"{placement.node} was chosen for a stay, and could not keep the pod for longer. "
            "A pod with idlewatt.dev/expected-runtime may be placed there."
        )
        if self._memory.said.is_due(placement.pod.uid, _REGRET, placement.node, self._at):
            self._memory.said.note(placement.pod.uid, _REGRET, placement.node, self._at)
            self._unsaid.append(failed(placement.pod, message, action="Scheduling"))

    async def _explain(self, explanation: Explanation) -> None:
        record, uid = explanation.record, explanation.record.pod.uid
        if explanation.event is not None:
            self._memory.said.note(uid, FAILED_SCHEDULING, explanation.what, self._at)
            await self._cluster.say(explanation.event)
        if explanation.patch:
            result = await self._cluster.set_waiting(
                record, explanation.reason, explanation.message
            )
            self._count("waiting", result, record.pod.key)

    async def _write_status(self, status: StatusWrite) -> None:
        if status.patch:
            result = await self._cluster.write_vehicle_status(status.vehicle, status.patch)
            self._count("status", result, status.vehicle)
        if status.conditions:
            result = await self._cluster.write_conditions(
                "VehicleNode", status.vehicle, status.conditions
            )
            self._count("conditions", result, status.vehicle)

    async def _write_circuits(self, write: CircuitsWrite) -> None:
        result = await self._cluster.write_circuits(write.site, write.circuits)
        self._count("circuits", result, f"ParkingSite {write.site}")

    async def _judge(self, verdicts: Verdicts) -> None:
        key = (verdicts.kind, verdicts.name)
        if self._memory.judged.get(key) == verdicts.conditions:
            return
        result = await self._cluster.write_conditions(*key, verdicts.conditions)
        done = self._count("finding", result, f"{verdicts.kind} {verdicts.name}")
        if done or result.outcome is Outcome.GONE:
            self._memory.judged[key] = verdicts.conditions
