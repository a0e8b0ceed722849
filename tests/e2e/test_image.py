"""The image that is installed, run as a strict cluster does: no rights, nothing to write to."""

import json
import subprocess
from collections.abc import Callable

import pytest
from tests.cluster.docker import docker
from tests.cluster.images import operator_image, redis_image
from tests.cluster.places import CHECKOUT

HARDENED = (
    *("run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--pids-limit", "200"),
)
EXAMPLES = ("--volume", f"{CHECKOUT / 'examples'}:/examples:ro")
MOST_BYTES = 470_000_000

Python = Callable[[str], str]


@pytest.fixture(scope="module")
def image() -> str:
    """Give the image's tag, built from this tree."""
    return operator_image()


@pytest.fixture(scope="module")
def python(image: str) -> Python:
    """Give a function that runs a piece of Python in the image, and gives what it prints."""

    def run(code: str) -> str:
        return docker(*HARDENED, "--entrypoint", "python", image, "-c", code).strip()

    return run


def test_it_says_its_version(image: str) -> None:
    """The command is the image's entry point, and starts on a root it cannot write to."""
    assert docker(*HARDENED, image, "version").startswith("idlewatt 0.1.0\n")


def test_it_runs_without_arguments_as_the_operator(image: str) -> None:
    """A pod without a command is an operator; where there is no cluster it ends with a sentence."""
    answer = subprocess.run(
        ["docker", *HARDENED, image], capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("idlewatt: ")
    assert "kubeconfig" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_it_plans(image: str) -> None:
    """The solver, with every library it is linked to, runs in the image."""
    plan = ("plan", "-f", "/examples/offline-plan", "--at", "2026-01-15T22:00:00Z")
    told = docker(*HARDENED, *EXAMPLES, image, *plan)
    assert "3 placed" in told
    assert "no plan is better" in told


def test_the_kernels_it_ships_are_loaded(image: str) -> None:
    """None is compiled where it runs: the folder that they are copied to gets no file more."""
    code = """
import os
from pathlib import Path
from idlewatt_operator.planning import kernels
kernels.prepare(os.environ)
before = sorted(Path("/cache").rglob("*.nb?"))
kernels.warm()
print(len(before) > 20, sorted(Path("/cache").rglob("*.nb?")) == before, kernels.is_warm())
"""
    cache = ("--tmpfs", "/cache:uid=65532,gid=65532", "--env", "NUMBA_CACHE_DIR=/cache")
    told = docker(*HARDENED, *cache, "--entrypoint", "python", image, "-c", code)
    assert told.strip() == "True True True"


def test_it_validates(image: str) -> None:
    """Manifests are checked without a cluster, a network or a place to write."""
    told = docker(*HARDENED, *EXAMPLES, image, "validate", "-f", "/examples/depot")
    assert "Traceback" not in told


def test_it_is_nobody(python: Python) -> None:
    """It runs as a numeric user who is not root, so that a cluster can check that it is not."""
    told = python("import os; print(os.getuid(), os.getgid(), os.access('/', os.W_OK))")
    assert told == "65532 65532 False"


def test_the_user_is_a_number(image: str) -> None:
    """`runAsNonRoot` cannot judge a name."""
    (told,) = json.loads(docker("image", "inspect", image))
    assert told["Config"]["User"] == "65532:65532"


@pytest.mark.parametrize("program", ["sh", "bash", "apt-get", "pip", "gcc"])
def test_nothing_else_can_be_run(image: str, program: str) -> None:
    """No shell, no package manager, no compiler: whoever breaks in finds no tools."""
    command = ["docker", *HARDENED, "--entrypoint", program, image]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "executable file not found" in answer.stderr


def test_no_installer_can_be_imported(python: Python) -> None:
    """Python has no pip and no setuptools either."""
    found = "import importlib.util as u; print([m for m in {!r} if u.find_spec(m)])"
    assert python(found.format(["pip", "setuptools", "ensurepip", "wheel", "hatchling"])) == "[]"


def test_what_runs_is_compiled(python: Python) -> None:
    """Every module that the operator loads has its compiled form, which is taken as it is."""
    code = """
import importlib.util, sys
import idlewatt_operator.cli.wiring, idlewatt_scheduler.planner, ortools.sat.python.cp_model
modules = [m for m in list(sys.modules.values()) if getattr(m, "__file__", "") or ""]
sources = [m for m in modules if m.__file__.endswith(".py")]
loose = []
for module in sources:
    try:
        flags = open(importlib.util.cache_from_source(module.__file__), "rb").read(8)[4:]
    except OSError:
        flags = b""
    if flags != bytes([1, 0, 0, 0]):
        loose.append(module.__name__)
print(len(sources) > 500, loose)
"""
    assert python(code) == "True []"


def test_a_trace_shows_its_lines(python: Python) -> None:
    """A compiled module knows where its source is: a report of a fault names file and line."""
    code = """
import json.decoder, kopf, idlewatt_operator.__main__ as ours
for module, function in ((json.decoder, json.decoder.JSONDecoder.decode), (ours, ours.main)):
    print(function.__code__.co_filename == module.__file__)
import inspect
print(inspect.getsource(ours.main).startswith("def main()"))
"""
    assert python(code).split() == ["True", "True", "True"]


def test_it_knows_certificates_and_time_zones(python: Python) -> None:
    """A Redis with a public certificate is trusted, and a tariff's zone is found."""
    code = """
import ssl, zoneinfo
authorities = ssl.create_default_context().cert_store_stats()["x509_ca"]
print(authorities > 50, zoneinfo.ZoneInfo("Europe/Oslo"))
"""
    assert python(code) == "True Europe/Oslo"


def test_scanners_find_what_is_in_it(python: Python) -> None:
    """The Debian packages that its libraries are from are listed where scanners look."""
    code = (
        "print(*[l.split()[1] for l in open('/var/lib/dpkg/status') if l.startswith('Package:')])"
    )
    names = set(python(code).split())
    assert {"libc6", "libssl3", "libstdc++6"} <= names
    assert not names & {"apt", "dpkg", "perl-base", "bash", "coreutils"}


def test_it_is_small(image: str) -> None:
    """Most of it are the compiler of kernels and the solver; nothing is in it that is never run."""
    (told,) = json.loads(docker("image", "inspect", image))
    assert told["Size"] < MOST_BYTES


def test_redis_runs_with_nothing_to_write_but_its_data() -> None:
    """Redis starts as uid 999 on a read-only root, and writes its log of writes to /data."""
    code = (
        "redis-server --appendonly yes --daemonize yes --logfile /data/log; "
        "until redis-cli ping; do sleep 0.1; done; "
        "redis-cli set a 1; id -u; ls /data/appendonlydir"
    )
    data = ("--tmpfs", "/data:uid=999,gid=999", "--entrypoint", "sh")
    told = docker(*HARDENED, *data, redis_image(), "-c", code).split()
    assert {"PONG", "OK", "999", "appendonly.aof.manifest"} <= set(told)
