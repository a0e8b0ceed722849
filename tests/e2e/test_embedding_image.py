"""The example's image, held as tightly as its pod is: it answers, ends well, and brings little."""

import json
import time
from collections.abc import Iterator

import pytest
from tests.cluster import images
from tests.cluster.docker import LABEL, docker
from tests.cluster.places import SetupError, checkout_key

NAME = f"{checkout_key()}-embedding-image"
HELD = (
    "--read-only",
    "--network=none",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--cpus=1",
    "--memory=512m",
    f"--label={LABEL}=embedding-image",
)
DRAIN_SECONDS = 2

ASK = """
import sys, urllib.request
path, *body = sys.argv[1:]
data = "".join(body).encode() or None
request = urllib.request.Request("http://127.0.0.1:8080" + path, data=data)
sys.stdout.write(urllib.request.urlopen(request, timeout=30).read().decode())
"""
LOOK = """
import importlib.util, json, os, pathlib
found = [name for name in ("pip", "setuptools", "onnx", "torch", "huggingface_hub")
         if importlib.util.find_spec(name)]
spec = importlib.util.find_spec("embedder.app")
print(json.dumps({"user": os.getuid(), "found": found, "compiled": os.path.exists(spec.cached),
                  "shell": pathlib.Path("/bin/sh").exists()}))
"""


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """A container of the image that serves, with nothing it does not need."""
    try:
        tag = images.embedding_image()
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)
    if NAME in docker("ps", "--all", "--format={{.Names}}").split():
        docker("rm", "--force", NAME)
    setting = f"--env=EMBEDDER_DRAIN_SECONDS={DRAIN_SECONDS}"
    docker("run", "--detach", f"--name={NAME}", *HELD, setting, tag)
    try:
        wait_until_ready()
        yield NAME
    finally:
        docker("rm", "--force", NAME)


def wait_until_ready() -> None:
    """Wait for the server's own word."""
    deadline = time.monotonic() + 120
    while True:
        try:
            docker("exec", NAME, "python", "-c", ASK, "/readyz")
        except SetupError:
            assert time.monotonic() < deadline, docker("logs", NAME)
            time.sleep(0.2)
        else:
            return


def test_it_answers_without_rights_files_or_network(container: str) -> None:
    """Read-only, no capability, no network, one processor: nothing of that does it need."""
    said = docker(
        "exec", container, "python", "-c", ASK, "/v1/embeddings", '{"input": ["one", "two"]}'
    )
    assert [len(each["embedding"]) for each in json.loads(said)["data"]] == [384, 384]


def test_it_brings_only_what_it_runs(container: str) -> None:
    """No root, no shell, no installer, none of the tools that made the model; compiled caches."""
    said = json.loads(docker("exec", container, "python", "-c", LOOK))
    assert said == {"user": 65532, "found": [], "compiled": True, "shell": False}


def test_it_ends_well_as_the_first_process(container: str) -> None:
    """SIGTERM reaches it, it drains, and its status is 0: a pod that ended, not one that failed."""
    began = time.monotonic()
    docker("stop", "--time=60", container)
    took = time.monotonic() - began
    state = json.loads(docker("inspect", "--format={{json .State}}", container))
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert DRAIN_SECONDS <= took < 40
