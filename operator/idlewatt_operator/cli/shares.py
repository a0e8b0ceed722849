"""A great many manifests, read by several processes: each takes a piece when it has done the last.

It is done in good faith: where anything in a piece looks unusual, a single mistake too, nothing of
it counts. All is then read again, one after the other, and mistakes are told as they always are.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, BinaryIO, Final, cast

import msgspec

from idlewatt_operator.gateways.manifests.cluster import ManifestCluster, put_together, read_good
from idlewatt_operator.gateways.manifests.plain_json import keys_at_most
from idlewatt_operator.gateways.manifests.sources import Source, Text, sources_of
from idlewatt_operator.planning.frames import FrameError, framed, read_frame
from idlewatt_operator.planning.wire import decoder, encode
from idlewatt_operator.resources.records import PodRecord, VehicleRecord
from idlewatt_scheduler.model.workload import Node

WORTH_SHARING_BYTES: Final = 3_000_000
"""Less is read before another process has started."""

PIECE_BYTES: Final = 1_500_000
PROCESSES_AT_MOST: Final = 4
HEAVY: Final = frozenset({"VehicleNode", "Node", "Pod"})
"""The kinds of which there are many; of the others there is little, and they are read here."""

_BETWEEN_DOCUMENTS: Final = "\n---\n"


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Some objects of a text.

    Attributes:
        is_json: it is a list of objects in JSON; else YAML.
    """

    text: str
    is_json: bool


class Found(msgspec.Struct, frozen=True, array_like=True):
    """What is in a piece; None in place of it: somebody has to look closer.

    Attributes:
        others: objects of kinds of which there are few, as they were written.
    """

    vehicles: dict[str, VehicleRecord]
    nodes: dict[str, Node]
    pods: dict[str, PodRecord]
    others: list[dict[str, Any]]
    counts: dict[str, int]


def read_shared(
    texts: Sequence[Text], meanwhile: Callable[[], object] = lambda: None
) -> ManifestCluster | None:
    """Everything in these texts; None where it has to be read one after the other.

    Args:
        texts: all of them.
        meanwhile: done here while others read.
    """
    processes = min(len(os.sched_getaffinity(0)), PROCESSES_AT_MOST)
    size = sum(len(text.content) for text in texts)
    if processes < 2 or size < WORTH_SHARING_BYTES:  # noqa: PLR2004 - one is this one
        return None
    pieces = _Pieces()
    with ThreadPoolExecutor(processes) as threads:
        # They take a while to start: the text is cut meanwhile.
        reading = [threads.submit(_share, pieces) for _ in range(processes)]
        try:
            for text in texts:
                pieces.add(_pieces(text))
        finally:
            pieces.end()
        meanwhile()
        shares = [share.result() for share in reading]
    if any(share is None for share in shares):
        return None
    found = [each for share in shares for each in share or ()]
    others = read_good(Source("", manifest) for each in found for manifest in each.others)
    if others is None:
        return None
    return put_together([*map(_cluster, found), others])


class _Pieces:
    """Pieces to be taken one after the other, also while others are still added."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Piece | None] = SimpleQueue()
        self._are_wanted = True

    def add(self, pieces: Iterable[Piece] | None) -> None:
        """Put these behind the others; None: nobody has to read any."""
        if pieces is None:
            self.drop()
        for piece in pieces or ():
            self._queue.put(piece)

    def end(self) -> None:
        """No more are added."""
        self._queue.put(None)

    def drop(self) -> None:
        """Nobody has to read the rest; what was read does not count either."""
        self._are_wanted = False
        self._queue.put(None)

    @property
    def are_wanted(self) -> bool:
        """Whether what is in them counts."""
        return self._are_wanted

    def take(self) -> Piece | None:
        """The next one; None: there is none left."""
        piece = self._queue.get()
        if piece is None or not self._are_wanted:
            self._queue.put(None)  # whoever asks next is told so, too
            return None
        return piece


def _share(pieces: _Pieces) -> list[Found] | None:
    """What one more process finds in the pieces that it takes; None where one is unusual."""
    found: list[Found] = []
    command = (sys.executable, "-P", "-m", "idlewatt_operator.cli.share")
    with subprocess.Popen(  # noqa: S603 - this very Python
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            return None
        read = decoder(Found | None)
        try:
            while (piece := pieces.take()) is not None:
                process.stdin.write(framed(encode(piece)))
                process.stdin.flush()
                answer = read_frame(cast("BinaryIO", process.stdout))
                one = None if answer is None else read.decode(answer)
                if one is None:
                    pieces.drop()
                    return None
                found.append(one)
        except (OSError, FrameError, msgspec.MsgspecError):
            pieces.drop()
            return None
        return found if pieces.are_wanted else None


def look_through(piece: Piece) -> Found | None:
    """What is in a piece; None where anything in it is unusual."""
    heavy: list[Source] = []
    others: list[dict[str, Any]] = []
    name = "items.json" if piece.is_json else "piece"
    for source in sources_of([Text(name, piece.text, only_json=piece.is_json)]):
        if not isinstance(source, Source):
            return None
        manifest = dict(source.manifest)
        if manifest.get("kind") in HEAVY:
            heavy.append(source)
        else:
            others.append(manifest)
    cluster = read_good(heavy)
    if cluster is None:
        return None
    return Found(cluster.vehicles, cluster.nodes, cluster.pods, others, dict(cluster.counts))


def _cluster(found: Found) -> ManifestCluster:
    return ManifestCluster(
        vehicles=found.vehicles,
        nodes=found.nodes,
        pods=found.pods,
        counts=Counter(found.counts),
    )


def _pieces(text: Text) -> list[Piece] | None:
    """The text, cut between objects; None where it cannot be seen where they begin."""
    if text.only_json or text.content.lstrip()[:1] in {"{", "["}:
        return _pieces_of_json(text.content)
    return [Piece(part, is_json=False) for part in _cut(text.content)]


def _cut(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PIECE_BYTES:
        end = text.find(_BETWEEN_DOCUMENTS, start + PIECE_BYTES)
        if end < 0:
            break
        yield text[start : end + 1]
        start = end + 1
    yield text[start:]


def _pieces_of_json(text: str) -> list[Piece] | None:
    """The items of a list; that none of its own fields stands there twice is counted."""
    written = text.encode("utf-8", "surrogatepass")
    try:
        fields = msgspec.json.decode(written, type=dict[str, msgspec.Raw])
        items = msgspec.json.decode(fields["items"], type=list[msgspec.Raw])
        head = {name: msgspec.json.decode(raw) for name, raw in fields.items() if name != "items"}
    except (msgspec.MsgspecError, KeyError, RecursionError):
        return None
    kind = head.get("kind")
    inner = sum(keys_at_most(bytes(raw)) for raw in fields.values())
    if not isinstance(kind, str) or not kind.endswith("List"):
        return None
    if keys_at_most(written) != len(fields) + inner:
        return None
    return list(_packed(items, head))


def _packed(items: Sequence[msgspec.Raw], head: Mapping[str, Any]) -> Iterator[Piece]:
    """The items, so many at a time, each time under the list's own fields."""
    start = size = 0
    for end, item in enumerate(items, 1):
        size += len(bytes(item))
        if size > PIECE_BYTES or end == len(items):
            packed = msgspec.json.encode({**head, "items": items[start:end]})
            yield Piece(packed.decode("utf-8", "surrogatepass"), is_json=True)
            start, size = end, 0
