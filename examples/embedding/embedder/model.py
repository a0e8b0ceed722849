"""The model: a tokenizer and a session of ONNX Runtime, both read from one folder."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers

from embedder.protocol import Encoded, MissingModelError, RefusedError

# What the model was trained to read at most: max_seq_length of its own configuration.
MAX_TOKENS = 256
# Texts that go through the model together: more are no faster, and need more memory.
BATCH_TEXTS = 8


class OnnxModel:
    """Turns texts into vectors, in as many threads as it was given.

    Each thread takes one batch: on a few processors that wins over sharing one batch among
    them, and a limit of one processor is never asked for two.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        # The tokenizer's own pool would be one thread more for each processor of the machine.
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                message = (
                    f"{folder} has no {name}; `python -m embedder.graph {folder}` makes it, "
                    "or name another folder in EMBEDDER_MODEL."
                )
                raise MissingModelError(message)
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="model")

    def encode(self, texts: Sequence[str], *, truncate: bool) -> Encoded:
        """Give a vector of the length 1 for each text; raises RefusedError for one too long."""
        ids = [self._ids(index, text, truncate) for index, text in enumerate(texts)]
        # Texts of like length together: what is padded is computed, too.
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        size = min(BATCH_TEXTS, -(-len(ids) // self._threads))
        batches = [order[first : first + size] for first in range(0, len(order), size)]
        vectors = [b""] * len(ids)
        done = self._pool.map(lambda batch: self._run([ids[index] for index in batch]), batches)
        for batch, rows in zip(batches, done, strict=True):
            for index, row in zip(batch, rows, strict=True):
                vectors[index] = row.astype("<f4").tobytes()
        return Encoded(tuple(vectors), sum(len(each) for each in ids))

    def _ids(self, index: int, text: str, truncate: bool) -> list[int]:  # noqa: FBT001 - ours
        ids: list[int] = self._tokenizer.encode(text).ids
        if len(ids) <= MAX_TOKENS:
            return ids
        if not truncate:
            sentence = (
                f"input[{index}] has {len(ids)} tokens and the model reads {MAX_TOKENS}: split "
                'it, or write "truncate": true to have the rest left out.'
            )
            raise RefusedError(sentence, field="input")
        # The last token closes a text, also one that was cut.
        return [*ids[: MAX_TOKENS - 1], ids[-1]]

    def _run(self, ids: Sequence[Sequence[int]]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Give the vectors of a batch: token ids of any lengths, to float32 [texts, 384]."""
        longest = max(len(each) for each in ids)
        padded = np.zeros((len(ids), longest), dtype=np.int64)
        mask = np.zeros_like(padded)
        for row, each in enumerate(ids):
            padded[row, : len(each)] = each
            mask[row, : len(each)] = 1
        (vectors,) = self._session.run(None, {"input_ids": padded, "attention_mask": mask})
        return vectors  # type: ignore[no-any-return]
