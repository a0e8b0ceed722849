"""What the server counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# A text takes some milliseconds; a full request on one processor a few hundred.
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts since the start, and what is so now; each server has its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "embedder_requests", "Requests, by HTTP status.", ["status"], registry=self._registry
        )
        self.texts = Counter("embedder_texts", "Texts embedded.", registry=self._registry)
        self.tokens = Counter("embedder_tokens", "Tokens in them.", registry=self._registry)
        self.seconds = Histogram(
            "embedder_request_seconds",
            "From a request's head to its vectors.",
            buckets=SECONDS_BUCKETS,
            registry=self._registry,
        )
        self.model_load_seconds = Gauge(
            "embedder_model_load_seconds", "How long loading took.", registry=self._registry
        )
        self._waiting = Gauge(
            "embedder_waiting", "Requests in the model or before it.", registry=self._registry
        )
        self._ready = Gauge(
            "embedder_ready", "1 while new requests are wanted.", registry=self._registry
        )
        self.answered_in_all = 0

    def answered(self, status: int) -> None:
        """Count one request under the status that it was answered with."""
        self.answered_in_all += 1
        self._requests.labels(status=str(status)).inc()

    def exposition(self, *, ready: bool, waiting: int) -> bytes:
        """Write all of it, in the text form that Prometheus reads."""
        self._ready.set(int(ready))
        self._waiting.set(waiting)
        return generate_latest(self._registry)
