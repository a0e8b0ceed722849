"""Many manifests, read by several processes: the same as one after the other, or not at all."""

import json
import os
from pathlib import Path

import pytest
import yaml
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, an_instance
from tests.benchmarks.manifests import write

from idlewatt_operator.cli import shares
from idlewatt_operator.cli.shares import Piece, look_through, read_shared
from idlewatt_operator.gateways.manifests.cluster import read_cluster
from idlewatt_operator.gateways.manifests.sources import Text, read_texts, sources_of


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small fleet takes several."""
    monkeypatch.setattr(shares, "WORTH_SHARING_BYTES", 0)
    monkeypatch.setattr(shares, "PIECE_BYTES", 40_000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def texts(folder: Path) -> list[Text]:
    """All that is in a folder."""
    return [text for text in read_texts([str(folder)]) if isinstance(text, Text)]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_is_read_is_the_same(tmp_path: Path, form: str) -> None:
    """Of every kind, whichever form it is written in; and something else is done meanwhile."""
    list(write(an_instance(Size(60, 90), Plenty.AMPLE, 1), tmp_path, form))
    done: list[bool] = []
    found = read_shared(texts(tmp_path), lambda: done.append(True))
    assert found is not None
    assert done == [True]
    expected = read_cluster(sources_of(texts(tmp_path)))
    assert expected.mistakes == []
    assert found.view() == expected.view()
    assert found.counts == expected.counts
    assert found.skipped == expected.skipped


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "llm"},
    "spec": {"schedulerName": "idlewatt", "containers": [{"name": "main", "image": "x"}]},
}


@pytest.mark.parametrize(
    "written",
    [
        yaml.safe_dump_all([POD, POD]),
        yaml.safe_dump({**POD, "sepc": {}}),
        json.dumps({"kind": "PodList", "apiVersion": "v1", "items": [POD, POD]}),
        json.dumps({"kind": "PodList", "apiVersion": "v1", "items": [{**POD, "x": 1}]}),
        '{"kind": "PodList", "items": [], "items": []}',
        '{"kind": "PodList", "apiVersion": "v1", "items": [{"kind": "Pod", "kind": "Pod"}]}',
        json.dumps(POD),
        "a: &b 1\nc: *b\n",
        "[",
    ],
    ids=["twice", "field", "twice", "field", "items", "key", "no list", "alias", "broken"],
)
def test_whatever_is_unusual_is_read_one_after_the_other(written: str) -> None:
    """So that mistakes are told as they always are, with their lines."""
    assert read_shared([Text("some.yaml", written)]) is None


def test_little_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read before another process has started; nor is anything on one processor."""
    good = [Text("pod.yaml", yaml.safe_dump(POD))]
    assert read_shared(good) is not None
    monkeypatch.setattr(shares, "WORTH_SHARING_BYTES", 1_000_000)
    assert read_shared(good) is None
    monkeypatch.setattr(shares, "WORTH_SHARING_BYTES", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert read_shared(good) is None


def test_a_piece_has_what_takes_long_as_values_and_the_rest_as_it_was_written() -> None:
    """Of what there is little, nobody needs another process."""
    site = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}}
    found = look_through(Piece(yaml.safe_dump_all([POD, site]), is_json=False))
    assert found is not None
    assert list(found.pods) == ["default/llm"]
    assert found.others == [site]
    assert found.counts == {"Pod": 1}
