"""The form of requests and answers: that of OpenAI's `POST /v1/embeddings`, as far as it applies.

Whatever cannot be answered is refused here with a sentence that names the field.
"""

import base64
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

MODEL_NAME = "all-MiniLM-L6-v2"
DIMENSIONS = 384
# float32 has some seven significant digits; more would only make the answer longer.
DECIMALS = 8
KNOWN_FIELDS = ("input", "model", "encoding_format", "dimensions", "truncate", "user")


class RefusedError(Exception):
    """A request is not answered; carries the sentence, the HTTP status and the field."""

    def __init__(self, sentence: str, *, status: int = 400, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.field = field


class MissingModelError(Exception):
    """There is no model where one should be; the message says how to make it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: the texts, whether long ones may be cut, and how vectors are written."""

    texts: tuple[str, ...]
    truncate: bool = False
    encoding: Literal["float", "base64"] = "float"


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of some texts, each 384 float32, little-endian; and how many tokens they had."""

    vectors: tuple[bytes, ...]
    tokens: int


class Model(Protocol):
    """What turns texts into vectors; it is called from several threads at once."""

    def encode(self, texts: Sequence[str], *, truncate: bool) -> Encoded:
        """Give a vector of the length 1 for each text; raises RefusedError for one too long."""


def read(body: bytes, *, max_texts: int) -> Request:
    """Read the body of a request; raises RefusedError with what is wrong and where."""
    try:
        written = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        sentence = f'The body is not JSON ({error}); write {{"input": ["a text"]}}.'
        raise RefusedError(sentence) from None
    if not isinstance(written, dict):
        sentence = 'The body is not a JSON object; write {"input": ["a text"]}.'
        raise RefusedError(sentence)
    for name in written:
        if name not in KNOWN_FIELDS:
            sentence = f"{name!r} is unknown; known are {', '.join(KNOWN_FIELDS)}."
            raise RefusedError(sentence, field=name)
    _check_model(written)
    return Request(
        texts=_texts(written, max_texts), truncate=_truncate(written), encoding=_encoding(written)
    )


def _texts(written: dict[str, Any], max_texts: int) -> tuple[str, ...]:
    given = written.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        sentence = '"input" must be a text, or a list of at least one.'
        raise RefusedError(sentence, field="input")
    if len(texts) > max_texts:
        sentence = f'"input" has {len(texts)} texts; send at most {max_texts} at once.'
        raise RefusedError(sentence, field="input")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            sentence = f"input[{index}] is not a text; tokens are not taken here."
            raise RefusedError(sentence, field="input")
        if not text.strip():
            sentence = f"input[{index}] has nothing in it to embed."
            raise RefusedError(sentence, field="input")
    return tuple(texts)


def _check_model(written: dict[str, Any]) -> None:
    model = written.get("model", MODEL_NAME)
    if model != MODEL_NAME:
        sentence = f'"model" is {model!r}; here is only {MODEL_NAME!r}.'
        raise RefusedError(sentence, field="model", status=404)
    dimensions = written.get("dimensions")
    if dimensions is not None and dimensions != DIMENSIONS:
        sentence = f'"dimensions" is {dimensions!r}; this model gives {DIMENSIONS}.'
        raise RefusedError(sentence, field="dimensions")


def _truncate(written: dict[str, Any]) -> bool:
    truncate = written.get("truncate", False)
    if not isinstance(truncate, bool):
        sentence = f'"truncate" is {truncate!r}; write true or false.'
        raise RefusedError(sentence, field="truncate")
    return truncate


def _encoding(written: dict[str, Any]) -> Literal["float", "base64"]:
    match written.get("encoding_format"):
        case None | "float":
            return "float"
        case "base64":
            return "base64"
        case other:
            sentence = f'"encoding_format" is {other!r}; write "float" or "base64".'
            raise RefusedError(sentence, field="encoding_format")


def answer(encoded: Encoded, request: Request) -> bytes:
    """Write the answer to a request, as JSON."""
    data = [
        {"object": "embedding", "index": index, "embedding": _written(vector, request.encoding)}
        for index, vector in enumerate(encoded.vectors)
    ]
    usage = {"prompt_tokens": encoded.tokens, "total_tokens": encoded.tokens}
    return msgspec.json.encode(
        {"object": "list", "data": data, "model": MODEL_NAME, "usage": usage}
    )


def refusal(error: RefusedError) -> bytes:
    """Write why a request is refused, as OpenAI's clients read it."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"  # noqa: PLR2004 - HTTP
    said = {"message": error.sentence, "type": kind, "param": error.field, "code": None}
    return msgspec.json.encode({"error": said})


def floats(vector: bytes) -> list[float]:
    """Read a vector as it is kept: little-endian float32, as every machine we run on has it."""
    return array("f", vector).tolist()


def _written(vector: bytes, encoding: str) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(vector).decode("ascii")
    return [round(value, DECIMALS) for value in floats(vector)]
