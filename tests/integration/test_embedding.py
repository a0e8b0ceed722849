"""The embedding example with its real model: what its vectors mean, and that its end loses nothing.

The server runs as its image runs it, in an environment of its own; only the container is missing.
"""

import contextlib
import json
import math
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.cluster.embedding import Example, ready
from tests.integration.conftest import speaking

WAIT_SECONDS = 60.0
DRAIN_SECONDS = 8.0
LOAD_SECONDS = 3.0  # a loaded machine answers the last of it seconds late, still within the drain

# Three sentences and their cosine similarities under this model, as its authors print them:
# https://sbert.net/docs/sentence_transformer/usage/usage.html
PUBLISHED_SENTENCES = (
    "The weather is lovely today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
)
PUBLISHED = {(0, 1): 0.6660, (0, 2): 0.1046, (1, 2): 0.1411}


@dataclass
class Running:
    """A server that runs, and a client of it."""

    process: "subprocess.Popen[bytes]"
    url: str
    http: urllib3.PoolManager

    def post(self, **body: object) -> urllib3.BaseHTTPResponse:
        """Send a request."""
        return self.http.request("POST", f"{self.url}/v1/embeddings", json=body)

    def vectors(self, *texts: str, **options: object) -> list[list[float]]:
        """Embed some texts."""
        answer = self.post(input=list(texts), **options)
        assert answer.status == 200, answer.data
        return [each["embedding"] for each in answer.json()["data"]]

    def readiness(self) -> int:
        """Ask as the kubelet does, on a connection of its own."""
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            asked = urllib3.PoolManager(retries=False, timeout=5)
            return asked.request("GET", f"{self.url}/readyz").status
        return 0

    def wait_until_ready(self) -> None:
        """Wait for the server's own word."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.readiness() != 200:
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server was never ready"
            time.sleep(0.05)

    def wait_until_asked(self, times: int) -> None:
        """Wait until so many requests were answered."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.answered() < times:
            assert time.monotonic() < deadline, "nobody asks"
            time.sleep(0.05)

    def answered(self) -> float:
        """Give how many requests were answered, as the server counts them."""
        lines = self.http.request("GET", f"{self.url}/metrics").data.decode().splitlines()
        name = 'embedder_requests_total{status="200"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    def end(self, signal_: signal.Signals = signal.SIGTERM) -> float:
        """Tell it to end; the seconds that it took. It must end well."""
        began = time.monotonic()
        self.process.send_signal(signal_)
        assert self.process.wait(timeout=WAIT_SECONDS) == 0
        return time.monotonic() - began


@pytest.fixture(scope="module")
def example(request: pytest.FixtureRequest) -> Example:
    """The example's packages and its model, fetched and made where they are not kept."""
    with speaking(request):
        return ready()


@contextlib.contextmanager
def running(example: Example, **settings: str) -> Iterator[Running]:
    """Start a server on a free port, and see that it is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = example.environment(
        EMBEDDER_HOST="127.0.0.1", EMBEDDER_PORT=str(port), EMBEDDER_THREADS="2", **settings
    )
    process = subprocess.Popen([sys.executable, "-m", "embedder"], env=environment)
    try:
        http = urllib3.PoolManager(retries=False, timeout=WAIT_SECONDS)
        yield Running(process, f"http://127.0.0.1:{port}", http)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(example: Example) -> Iterator[Running]:
    """A server for all that does not end it."""
    with running(example) as started:
        started.wait_until_ready()
        yield started


@pytest.fixture
def draining(example: Example) -> Iterator[Running]:
    """A server that will be told to end."""
    with running(example, EMBEDDER_DRAIN_SECONDS=str(DRAIN_SECONDS)) as started:
        started.wait_until_ready()
        yield started


def likeness(one: list[float], other: list[float]) -> float:
    """Give the cosine of two vectors of the length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_the_similarities_are_those_its_authors_print(server: Running) -> None:
    """The graph that we write from the weights is the model, to the last published digit."""
    vectors = server.vectors(*PUBLISHED_SENTENCES)
    found = {pair: likeness(vectors[pair[0]], vectors[pair[1]]) for pair in PUBLISHED}
    assert found == pytest.approx(PUBLISHED, abs=5e-5)


def test_vectors_have_384_numbers_and_the_length_one(server: Running) -> None:
    """What a store of vectors relies on."""
    for vector in server.vectors("one", "Ein Elektroauto steht am Fluss.", "🚗🔋", "x" * 500):
        assert len(vector) == 384
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)


def test_what_means_the_same_is_nearer_than_what_does_not(server: Running) -> None:
    """The reason for which anybody runs this model."""
    asked, same, other = server.vectors(
        "How far can an electric car drive?", "range of an EV", "a recipe for lentil soup"
    )
    assert likeness(asked, same) > likeness(asked, other) + 0.3


def test_texts_together_are_as_each_alone(server: Running) -> None:
    """Neither the others in a request nor their lengths change a vector; order is kept."""
    texts = [" ".join(["charge"] * length) for length in (40, 1, 200, 7, 90, 3, 150, 20, 11, 60)]
    alone = [server.vectors(text)[0] for text in texts]
    together = server.vectors(*texts)
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    # And the texts differ, or the order would not show.
    assert max(likeness(one, other) for one, other in pairwise(alone)) < 0.999


def test_a_text_beyond_what_it_reads_is_refused_or_cut(server: Running) -> None:
    """Nothing is left out silently: 254 words and two marks go in, one more is refused."""
    answer = server.post(input=["short", "car " * 255])
    assert answer.status == 400
    assert answer.json()["error"]["message"].startswith("input[1] has 257 tokens")
    (whole,) = server.vectors("car " * 254)
    (cut,) = server.vectors("car " * 254 + "lentil soup", truncate=True)
    assert whole == pytest.approx(cut, abs=1e-5)


def test_tokens_are_counted(server: Running) -> None:
    """Five words, a full stop, and the two marks that stand around each text."""
    answer = server.post(input=["A car stands beside it."], encoding_format="base64").json()
    assert answer["usage"] == {"prompt_tokens": 8, "total_tokens": 8}


@pytest.mark.parametrize(
    "options", [[], ["--new-connections"], ["--concurrency", "1"]], ids=["kept", "new", "one"]
)
def test_no_request_is_lost_while_it_drains(
    draining: Running, example: Example, options: list[str]
) -> None:
    """A client that sends all through the drain, on kept connections or on new ones, loses none."""
    command = [sys.executable, "-m", "embedder.load", draining.url, "--rate", "40"]
    command += ["--seconds", str(LOAD_SECONDS), *options]
    with subprocess.Popen(
        command, env=example.environment(), stdout=subprocess.PIPE, text=True
    ) as client:
        draining.wait_until_asked(times=20)
        draining.process.send_signal(signal.SIGTERM)
        said, _ = client.communicate(timeout=WAIT_SECONDS)
    result: dict[str, Any] = json.loads(said)
    assert result["failures"] == {}, result["first_failures"]
    assert result["answered"] == result["sent"] > 20  # so some were sent after the signal
    assert draining.process.wait(timeout=WAIT_SECONDS) == 0


def test_it_is_not_ready_at_once_and_answers_until_the_drain_is_over(draining: Running) -> None:
    """The readiness goes with the signal; the answers go on, and send their clients away."""
    assert draining.post(input="one").headers.get("Connection") != "close"
    began = time.monotonic()
    draining.process.send_signal(signal.SIGTERM)
    while draining.readiness() == 200:
        assert time.monotonic() - began < DRAIN_SECONDS / 2
    answer = draining.post(input="one")
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert draining.process.wait(timeout=WAIT_SECONDS) == 0
    assert DRAIN_SECONDS <= time.monotonic() - began < DRAIN_SECONDS + 20


def test_a_request_in_the_model_when_the_drain_is_over_is_finished(example: Example) -> None:
    """Without any time to drain, what is being answered still is."""
    with running(example, EMBEDDER_DRAIN_SECONDS="0") as server:
        server.wait_until_ready()
        body = json.dumps({"input": ["battery " * 250] * 24}).encode()
        with socket.create_connection(("127.0.0.1", urllib3.util.parse_url(server.url).port)) as to:
            head = f"POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
            to.sendall(head.encode() + body)
            time.sleep(0.3)  # the request is to be in the model, where it stays a second or more
            server.process.send_signal(signal.SIGTERM)
            answer = b"".join(iter(lambda: to.recv(1 << 20), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in answer.partition(b"\r\n\r\n")[0]
        assert server.process.wait(timeout=WAIT_SECONDS) == 0


def test_a_person_at_a_terminal_does_not_wait_for_the_drain(example: Example) -> None:
    """Control-C ends it at once."""
    with running(example, EMBEDDER_DRAIN_SECONDS="60") as server:
        server.wait_until_ready()
        assert server.end(signal.SIGINT) < 10


def test_it_reports_to_nobody(example: Example, tmp_path: Path) -> None:
    """The telemetry of ONNX Runtime is off before that is loaded: nothing names this machine."""
    with running(example, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path), CI="") as server:
        server.wait_until_ready()
        server.vectors("one")
        assert list(tmp_path.iterdir()) == []


def test_without_a_model_it_says_how_to_make_one(example: Example) -> None:
    """A sentence and the status 2, no trace."""
    environment = example.environment(EMBEDDER_MODEL="/nowhere", EMBEDDER_PORT="0")
    answer = subprocess.run(
        [sys.executable, "-m", "embedder"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert "/nowhere has no model.onnx; `python -m embedder.graph /nowhere` makes it" in (
        answer.stderr
    )
    assert "Traceback" not in answer.stderr
