"""The settings of the embedding server: read from the environment, checked before it listens."""

from pathlib import Path

import pytest
from embedder.settings import BadSettingError, Settings, allowed_threads, cpu_limit


def test_everything_has_a_default() -> None:
    """Nothing has to be set, and the drain with the finish fits the grace of the manifest."""
    settings = Settings.of_environment({})
    assert (settings.port, settings.drain_seconds) == (8080, 10.0)
    assert settings.threads >= 1


def test_what_is_set_is_taken() -> None:
    """Each variable reaches its setting."""
    settings = Settings.of_environment(
        {
            "EMBEDDER_HOST": "127.0.0.1",
            "EMBEDDER_PORT": "0",
            "EMBEDDER_MODEL": "/models/a",
            "EMBEDDER_THREADS": "3",
            "EMBEDDER_DRAIN_SECONDS": "1.5",
            "EMBEDDER_FINISH_SECONDS": "2",
            "EMBEDDER_MAX_TEXTS": "5",
            "EMBEDDER_MAX_BODY_BYTES": "1000",
            "EMBEDDER_MAX_WAITING": "7",
            "POD_NAME": "embedding-0",
        }
    )
    assert settings == Settings(
        "127.0.0.1", 0, Path("/models/a"), 3, 1.5, 2.0, 5, 1000, 7, "embedding-0"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBEDDER_PORT", "65536"),
        ("EMBEDDER_PORT", "http"),
        ("EMBEDDER_PORT", ""),
        ("EMBEDDER_THREADS", "0"),
        ("EMBEDDER_THREADS", "1.5"),
        ("EMBEDDER_THREADS", "²"),
        ("EMBEDDER_DRAIN_SECONDS", "-1"),
        ("EMBEDDER_DRAIN_SECONDS", "nan"),
        ("EMBEDDER_DRAIN_SECONDS", "inf"),
        ("EMBEDDER_FINISH_SECONDS", "10s"),
        ("EMBEDDER_MAX_WAITING", "0"),
    ],
)
def test_a_mistake_names_the_variable(name: str, value: str) -> None:
    """A setting that cannot be used is refused by name, with what may be written."""
    with pytest.raises(BadSettingError, match=f"^{name} is .*; write ") as caught:
        Settings.of_environment({name: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("written", "limit"),
    [("120000 100000", 1.2), ("50000 100000", 0.5), ("max 100000", None)],
)
def test_the_limit_is_read_from_cgroup_2(tmp_path: Path, written: str, limit: float | None) -> None:
    """A container's CPU limit stands in one file, as quota and period."""
    (tmp_path / "cpu.max").write_text(written + "\n")
    assert cpu_limit(tmp_path) == limit


@pytest.mark.parametrize(("quota", "limit"), [("240000", 2.4), ("-1", None)])
def test_the_limit_is_read_from_cgroup_1(tmp_path: Path, quota: str, limit: float | None) -> None:
    """On older systems it stands in two files."""
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu_limit(tmp_path) == limit


def test_without_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    """Outside a container nothing is read, and nothing fails."""
    assert cpu_limit(tmp_path) is None


@pytest.mark.parametrize(
    ("limit", "threads"), [("50000", 1), ("100000", 1), ("120000", 1), ("9900000000", None)]
)
def test_threads_keep_within_the_limit(tmp_path: Path, limit: str, threads: int | None) -> None:
    """More threads than the limit would be halted in turn; more than there are processors, too."""
    (tmp_path / "cpu.max").write_text(f"{limit} 100000\n")
    unlimited = allowed_threads(tmp_path / "nowhere")
    assert allowed_threads(tmp_path) == (threads or unlimited)
