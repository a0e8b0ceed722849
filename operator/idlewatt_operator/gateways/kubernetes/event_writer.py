"""Events about pods, as `kubectl describe` shows them; one that is repeated counts up."""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from idlewatt_operator.gateways.kubernetes.session import MERGE_PATCH, ApiUnreachable, Call
from idlewatt_operator.gateways.kubernetes.writes import Writes
from idlewatt_operator.gateways.leadership import NotLeading
from idlewatt_operator.gateways.protocols import Clock, EventNote
from idlewatt_operator.resources.times import format_micro_time
from idlewatt_scheduler.model.units import MINUTE, Instant

_LOG: Final = logging.getLogger(__name__)

REPORTING_CONTROLLER: Final = "idlewatt.dev/scheduler"

_NOTE_BYTES_MAX: Final = 1_024
_NAME_LENGTH_MAX: Final = 230
_REMEMBERED: Final = 4_096
# The API server forgets an event an hour after its last change, unless it is told otherwise.
_REPEATABLE: Final = 50 * MINUTE


@dataclass(slots=True)
class _Said:
    """An event that stands in the cluster."""

    name: str
    count: int
    at: Instant


class EventWriter:
    """Writes events, and the `series` of one that says the same again.

    Args:
        instance: who reports, such as the pod's name.
    """

    def __init__(self, writes: Writes, clock: Clock, instance: str = "idlewatt") -> None:
        self._writes = writes
        self._clock = clock
        self._instance = instance[:128]
        self._said: OrderedDict[EventNote, _Said] = OrderedDict()
        self._made = 0

    async def say(self, note: EventNote) -> None:
        """Write it; where that fails the log has it, and nobody is held up."""
        try:
            said = self._said.get(note)
            if said is None or self._clock.now() - said.at > _REPEATABLE:
                await self._create(note)
            else:
                await self._repeat(note, said)
        except (ApiUnreachable, NotLeading) as error:
            self._lost(note, str(error))

    async def _create(self, note: EventNote) -> None:
        name = self._name(note.name)
        call = Call("POST", _path(note.namespace), body=self._body(name, note))
        answer = await self._writes.attempt("event", call)
        if not answer.ok:
            self._lost(note, answer.message)
            return
        self._said[note] = _Said(name, 1, self._clock.now())
        self._said.move_to_end(note)
        while len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)

    async def _repeat(self, note: EventNote, said: _Said) -> None:
        now = self._clock.now()
        series = {"count": said.count + 1, "lastObservedTime": format_micro_time(now)}
        path = f"{_path(note.namespace)}/{quote(said.name)}"
        call = Call("PATCH", path, body={"series": series}, content_type=MERGE_PATCH)
        answer = await self._writes.attempt("event", call)
        if answer.ok:
            self._said[note] = _Said(said.name, said.count + 1, now)
            self._said.move_to_end(note)
        else:
            await self._create(note)

    def _name(self, pod: str) -> str:
        """A name as other reporters make theirs: the pod's, a dot, and what never comes again."""
        self._made += 1
        return f"{pod[:_NAME_LENGTH_MAX].rstrip('-.')}.{self._clock.now():x}{self._made:04x}"

    def _body(self, name: str, note: EventNote) -> dict[str, object]:
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "namespace": note.namespace,
                "name": name,
            },
            "eventTime": format_micro_time(self._clock.now()),
            "reportingController": REPORTING_CONTROLLER,
            "reportingInstance": self._instance,
            "action": note.action,
            "reason": note.reason,
            "type": "Warning" if note.warning else "Normal",
            "note": _cut(note.message),
            "regarding": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": note.namespace,
                "name": note.name,
                "uid": note.uid,
            },
        }

    def _lost(self, note: EventNote, why: str) -> None:
        _LOG.warning(
            "The event %s about pod %s/%s was lost: %s", note.reason, note.namespace, note.name, why
        )


def _path(namespace: str) -> str:
    return f"/apis/events.k8s.io/v1/namespaces/{quote(namespace)}/events"


def _cut(text: str) -> str:
    raw = text.encode()
    if len(raw) <= _NOTE_BYTES_MAX:
        return text
    return raw[: _NOTE_BYTES_MAX - 3].decode(errors="ignore") + "..."
