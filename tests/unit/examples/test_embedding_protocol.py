"""What the embedding server takes and gives: OpenAI's form, and a sentence for every mistake."""

import base64
import json
import struct
from typing import Any

import pytest
from embedder.protocol import Encoded, RefusedError, Request, answer, floats, read, refusal

VECTOR = struct.pack("<3f", 0.5, -0.25, 1 / 3)


def refused(body: bytes | dict[str, Any]) -> RefusedError:
    """Give how a body is refused."""
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(RefusedError) as caught:
        read(written, max_texts=4)
    return caught.value


@pytest.mark.parametrize(
    ("written", "request_"),
    [
        ({"input": "one"}, Request(("one",))),
        ({"input": ["one", "two"]}, Request(("one", "two"))),
        ({"input": "one", "model": "all-MiniLM-L6-v2", "user": "u"}, Request(("one",))),
        ({"input": "one", "encoding_format": "base64"}, Request(("one",), encoding="base64")),
        ({"input": "one", "encoding_format": "float"}, Request(("one",))),
        ({"input": "one", "dimensions": 384, "truncate": True}, Request(("one",), truncate=True)),
        ({"input": ["1", "2", "3", "4"]}, Request(("1", "2", "3", "4"))),
    ],
)
def test_what_clients_send_is_read(written: dict[str, Any], request_: Request) -> None:
    """One text or several, and each option that means something here."""
    assert read(json.dumps(written).encode(), max_texts=4) == request_


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", 'write {"input": ["a text"]}'),
        (b"{", 'write {"input": ["a text"]}'),
        (b'{"input": "\xff"}', 'write {"input": ["a text"]}'),
        (b"[" * 100_000, 'write {"input": ["a text"]}'),
        (b'["one"]', "not a JSON object"),
        ({}, '"input" must be a text'),
        ({"input": None}, '"input" must be a text'),
        ({"input": []}, '"input" must be a text'),
        ({"input": {"text": "one"}}, '"input" must be a text'),
        ({"input": [1, 2, 3]}, "input[0] is not a text"),
        ({"input": ["one", None]}, "input[1] is not a text"),
        ({"input": ["one", " \n"]}, "input[1] has nothing in it"),
        ({"input": ["1", "2", "3", "4", "5"]}, "has 5 texts; send at most 4"),
        ({"input": "one", "encoding": "float"}, "'encoding' is unknown"),
        ({"input": "one", "encoding_format": "hex"}, 'write "float" or "base64"'),
        ({"input": "one", "encoding_format": ["float"]}, 'write "float" or "base64"'),
        ({"input": "one", "dimensions": 256}, "this model gives 384"),
        ({"input": "one", "dimensions": [384]}, "this model gives 384"),
        ({"input": "one", "truncate": "yes"}, "write true or false"),
        ({"input": "one", "model": "gpt-9"}, "here is only 'all-MiniLM-L6-v2'"),
        ({"input": "one", "model": ["a"]}, "here is only 'all-MiniLM-L6-v2'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(body: bytes | dict[str, Any], sentence: str) -> None:
    """Whatever cannot be answered is refused with what is wrong and what to write instead."""
    error = refused(body)
    assert sentence in error.sentence
    assert error.sentence.endswith(".")
    assert error.status in {400, 404}


def test_a_model_that_is_not_here_is_not_found() -> None:
    """The status says so too: clients tell a wrong name from a wrong text by it."""
    assert refused({"input": "one", "model": "gpt-9"}).status == 404


def test_numbers_are_as_precise_as_the_model() -> None:
    """What is written as decimals is the vector to eight places, more than float32 holds."""
    written = json.loads(answer(Encoded((VECTOR,), tokens=5), Request(("one",))))
    assert written["data"][0]["embedding"] == [0.5, -0.25, 0.33333334]
    assert written["data"][0] == {**written["data"][0], "object": "embedding", "index": 0}
    assert written["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    assert (written["object"], written["model"]) == ("list", "all-MiniLM-L6-v2")


def test_base64_is_the_vector_itself() -> None:
    """OpenAI's client asks for this form and reads little-endian float32 out of it."""
    asked = Request(("one", "two"), encoding="base64")
    written = json.loads(answer(Encoded((VECTOR, VECTOR), tokens=5), asked))
    assert [each["index"] for each in written["data"]] == [0, 1]
    assert base64.b64decode(written["data"][1]["embedding"]) == VECTOR
    assert floats(VECTOR)[:2] == [0.5, -0.25]


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_request_error"), (503, "server_error")]
)
def test_a_refusal_has_the_form_that_clients_know(status: int, kind: str) -> None:
    """OpenAI's clients show the message, and retry by the kind."""
    error = RefusedError("It is so.", status=status, field="input")
    assert json.loads(refusal(error)) == {
        "error": {"message": "It is so.", "type": kind, "param": "input", "code": None}
    }
