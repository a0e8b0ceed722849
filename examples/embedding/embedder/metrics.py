"""What the server counts, in the text form that Prometheus reads."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Metrics:
    """Counts since the start, and what is so now."""

    requests: dict[int, int] = field(default_factory=dict)
    texts: int = 0
    tokens: int = 0
    seconds: float = 0.0
    waiting: int = 0
    model_load_seconds: float = 0.0

    def answered(self, status: int) -> None:
        """Count one request under the status that it was answered with."""
        self.requests[status] = self.requests.get(status, 0) + 1

    def exposition(self, *, ready: bool) -> str:
        """Write all of it."""
        lines = _header("embedder_requests_total", "counter", "Requests, by HTTP status.")
        lines += [
            f'embedder_requests_total{{status="{status}"}} {count}'
            for status, count in sorted(self.requests.items())
        ]
        for name, kind, said, value in (
            ("texts_total", "counter", "Texts embedded.", self.texts),
            ("tokens_total", "counter", "Tokens in those texts.", self.tokens),
            ("encode_seconds_total", "counter", "Seconds from request to vectors.", self.seconds),
            ("waiting", "gauge", "Requests in the model or waiting for it.", self.waiting),
            ("model_load_seconds", "gauge", "How long loading took.", self.model_load_seconds),
            ("ready", "gauge", "1 while new requests are wanted.", int(ready)),
        ):
            lines += [*_header(f"embedder_{name}", kind, said), f"embedder_{name} {value}"]
        return "\n".join([*lines, ""])


def _header(name: str, kind: str, said: str) -> list[str]:
    return [f"# HELP {name} {said}", f"# TYPE {name} {kind}"]
