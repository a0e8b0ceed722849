"""Annotations of pods: each is read exactly, or said to be wrong."""

import pytest

from idlewatt_operator.resources.annotations import Bound, read_annotations
from idlewatt_scheduler.model.workload import Demand


def the_sentence(name: str, value: str) -> str:
    """The one sentence about this one annotation."""
    (sentence,) = read_annotations({f"idlewatt.dev/{name}": value}).invalid
    return sentence


def test_a_pod_without_annotations_asks_for_nothing() -> None:
    """None, an empty map and other people's annotations are all the same."""
    others = {"example.com/power": "much", "idlewatt.dev.example.com/power": "more"}
    for annotations in (None, {}, others):
        read = read_annotations(annotations)
        assert read.demand == Demand()
        assert read.bound == Bound()
        assert read.invalid == ()


def test_every_annotation_is_read() -> None:
    """All of what a pod may ask for, in the core's units."""
    read = read_annotations(
        {
            "idlewatt.dev/expected-runtime": "1h30m",
            "idlewatt.dev/power": "350",
            "idlewatt.dev/deadline": "2026-01-15T12:00:00Z",
            "idlewatt.dev/tariff": "any",
            "idlewatt.dev/drain-grace": "90s",
            "idlewatt.dev/residency": "eu-de, eu-fr",
            "idlewatt.dev/model-load-time": "45s",
            "idlewatt.dev/image-size": "4Gi",
            "idlewatt.dev/allow-untrusted": "true",
            "idlewatt.dev/allow-loss": "true",
            "idlewatt.dev/gang": "llama-70b",
            "idlewatt.dev/gang-size": "4",
        }
    )
    assert read.invalid == ()
    assert read.demand == Demand(
        expected_runtime=5_400_000,
        power_watts=350,
        deadline=1_768_478_400_000,
        any_tariff=True,
        drain_grace=90_000,
        residency=frozenset({"eu-de", "eu-fr"}),
        model_load_time=45_000,
        image_size_bytes=4 * 2**30,
        allow_untrusted=True,
        allow_loss=True,
        gang="llama-70b",
        gang_size=4,
    )


def test_the_cautious_choices_may_be_written_out() -> None:
    """`off-peak` and `false` say what is meant without them."""
    read = read_annotations(
        {
            "idlewatt.dev/tariff": "off-peak",
            "idlewatt.dev/allow-untrusted": "false",
            "idlewatt.dev/allow-loss": "false",
        }
    )
    assert (read.demand, read.invalid) == (Demand(), ())


def test_what_a_binding_carried_is_read() -> None:
    """Watts may have decimals; the core counts whole milliwatts, rounded down."""
    read = read_annotations(
        {
            "idlewatt.dev/bound-watts": "437.5009",
            "idlewatt.dev/bound-until": "2026-01-15T12:00:00.250Z",
            "idlewatt.dev/bound-agreement-version": "3",
        }
    )
    assert read.bound == Bound(power=437_500, until=1_768_478_400_250, agreement_version=3)
    assert read.invalid == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expected-runtime", "90"),
        ("expected-runtime", "-1h"),
        ("expected-runtime", " 1h"),
        ("power", "350W"),
        ("power", "350.5"),
        ("power", "-1"),
        ("power", "+350"),
        ("power", "1e3"),
        ("power", "1k"),
        ("power", ""),
        ("power", "٣٥٠"),
        ("power", "9" * 10_000),
        ("deadline", "2026-01-15T12:00:00"),
        ("deadline", "tomorrow"),
        ("tariff", "offpeak"),
        ("tariff", "Any"),
        ("tariff", ""),
        ("drain-grace", "soon"),
        ("residency", ""),
        ("residency", "eu-de,"),
        ("residency", "eu-de,,eu-fr"),
        ("residency", "eu de"),
        ("model-load-time", "45"),
        ("image-size", "4 GiB"),
        ("image-size", "-4Gi"),
        ("image-size", "big"),
        ("allow-untrusted", "True"),
        ("allow-untrusted", "yes"),
        ("allow-loss", "1"),
        ("allow-loss", ""),
        ("bound-watts", "-1"),
        ("bound-watts", "NaN"),
        ("bound-until", "later"),
        ("bound-agreement-version", "v3"),
    ],
)
def test_a_malformed_annotation_gives_a_sentence_and_no_value(name: str, value: str) -> None:
    """It is named, its value is shown (a long one in part), and nothing is made of it."""
    read = read_annotations({f"idlewatt.dev/{name}": value})
    (sentence,) = read.invalid
    assert sentence.startswith(f"annotation idlewatt.dev/{name}: '{value[:64]}")
    assert len(sentence) < 300
    assert (read.demand, read.bound) == (Demand(), Bound())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gang", ""),
        ("gang", "-a"),
        ("gang", "a b"),
        ("gang", "a/b"),
        ("gang", "g" * 64),
        ("gang-size", "1"),
        ("gang-size", "1001"),
        ("gang-size", "four"),
        ("gang-size", "4.0"),
    ],
)
def test_a_malformed_half_of_a_gang_makes_no_gang(name: str, value: str) -> None:
    """One sentence, about that half; the pod is in no gang at all."""
    whole = {"idlewatt.dev/gang": "g", "idlewatt.dev/gang-size": "4"}
    read = read_annotations({**whole, f"idlewatt.dev/{name}": value})
    (sentence,) = read.invalid
    assert sentence.startswith(f"annotation idlewatt.dev/{name}: '{value[:64]}")
    assert read.demand == Demand()


@pytest.mark.parametrize(
    ("name", "value", "other"), [("gang", "g", "gang-size"), ("gang-size", "4", "gang")]
)
def test_half_a_gang_is_a_mistake(name: str, value: str, other: str) -> None:
    """Each needs the other."""
    assert the_sentence(name, value) == (
        f"annotation idlewatt.dev/{name}: it needs idlewatt.dev/{other} beside it"
    )
    assert read_annotations({f"idlewatt.dev/{name}": value}).demand == Demand()


@pytest.mark.parametrize("size", [2, 1_000])
def test_gangs_are_of_two_to_a_thousand(size: int) -> None:
    """The least and the greatest are taken."""
    written = {"idlewatt.dev/gang": "g" * 63, "idlewatt.dev/gang-size": str(size)}
    assert read_annotations(written).demand == Demand(gang="g" * 63, gang_size=size)


def test_an_unknown_annotation_is_never_passed_over() -> None:
    """A typing error is answered with what was probably meant."""
    assert the_sentence("expected-runtme", "1h") == (
        "annotation idlewatt.dev/expected-runtme is unknown; "
        "did you mean idlewatt.dev/expected-runtime?"
    )
    assert the_sentence("Power", "350").endswith("did you mean idlewatt.dev/power?")
    assert "known are expected-runtime, power, deadline" in the_sentence("xyz", "")
    assert "is unknown" in the_sentence("", "")


def test_each_mistake_has_its_own_sentence() -> None:
    """Sentences are ordered by name, and what is right is read all the same."""
    read = read_annotations(
        {"idlewatt.dev/tariff": "cheap", "idlewatt.dev/a": "", "idlewatt.dev/power": "350"}
    )
    assert [sentence.split()[1].rstrip(":") for sentence in read.invalid] == [
        "idlewatt.dev/a",
        "idlewatt.dev/tariff",
    ]
    assert read.demand.power_watts == 350
