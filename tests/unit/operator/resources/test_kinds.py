"""Reading an object of our kinds offline: what the API server refuses is refused here too."""

import pytest
from pydantic import ValidationError
from tests.integration.corpus.cases import Case, bad_manifests, good_manifests

from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.kinds import KINDS, read_resource


@pytest.mark.parametrize("case", bad_manifests(), ids=str)
def test_a_bad_manifest_is_refused_offline(case: Case) -> None:
    """Every mistake of the corpus is found without a cluster, and said with its path."""
    with pytest.raises(ValidationError) as refused:
        read_resource(case.manifest)
    said = [str(mistake) for mistake in mistakes(refused.value, KINDS[case.kind])]
    assert any(case.offline in sentence for sentence in said), said


def test_the_corpus_is_large_and_names_each_mistake_once() -> None:
    """There are at least 60 cases, of every kind, no two of them the same."""
    names = [str(case) for case in bad_manifests()]
    assert len(names) >= 60
    assert len(names) == len(set(names))
    assert {case.kind for case in bad_manifests()} == set(KINDS)


def test_a_good_manifest_is_read() -> None:
    """The manifests that the corpus spoils are good as they stand."""
    for manifest in good_manifests():
        assert read_resource(manifest).metadata.name == manifest["metadata"]["name"]


def test_a_null_counts_as_absent() -> None:
    """As on the API server, a field that is explicitly null is a field left out."""
    manifest = {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "FleetPolicy",
        "metadata": {"name": "default", "creationTimestamp": None},
        "spec": {"plainNodes": None, "offPeak": None},
        "status": None,
    }
    policy = read_resource(manifest)
    assert policy == read_resource({**manifest, "spec": {}})


def test_another_kind_is_not_ours() -> None:
    """A manifest of a kind that is not ours raises KeyError, so that callers look first."""
    with pytest.raises(KeyError):
        read_resource({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})
