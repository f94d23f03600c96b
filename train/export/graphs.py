"""Networks as graphs that run without pagen, by `torch.export` and ONNX, and how far they are from the network."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

Call = Callable[[Tensor], Tensor | Sequence[Tensor]]
"""Clips (B, C, T, H, W) -> outputs."""
INPUT = "clips"
OPSET = 18
"""The one that torch translates to; any other is a conversion of it."""


class Whole(nn.Module):
    """A network in float32 as it is exported: of clips of any H and W, with padding and cutting off."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network.float()

    def forward(self, clips: Tensor) -> Tensor | tuple[Tensor, ...]:
        """All outputs of clips (B, C, T, H, W), as `network.outputs` names them; the tensor itself where it is one."""
        outputs: tuple[Tensor, ...] = self.network.graph(clips)
        return outputs if len(outputs) > 1 else outputs[0]


def serialised(whole: Whole, clips: Tensor, kind: str, about: dict[str, str]) -> bytes:
    """The file's bytes."""
    with torch.no_grad(), _quiet():
        batch = torch.export.Dim("batch", min=1)
        program = torch.export.export(whole, (clips,), dynamic_shapes={INPUT: {0: batch}})
        program.example_inputs = None  # a file would show people of the data set to whoever gets it
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)  # and the paths of this machine
        if kind == "onnx":
            return _as_onnx(program, whole.network.outputs, about)
        buffer = io.BytesIO()
        torch.export.save(program, buffer, extra_files={"pagen.json": json.dumps(about)})
        return buffer.getvalue()


def _as_onnx(program: ExportedProgram, names: Sequence[str], about: dict[str, str]) -> bytes:
    made = torch.onnx.export(
        program,
        input_names=[INPUT],
        output_names=list(names),
        opset_version=OPSET,
        dynamic_shapes={INPUT: {0: "batch"}},  # its name alone: that it is dynamic stands in the program
        dynamo=True,
        verbose=False,
    )
    assert made is not None  # only the old exporter returns none
    made.model.metadata_props.update(about)
    data: bytes = made.model_proto.SerializeToString()
    return data


def loaded(data: bytes, kind: str) -> Call:
    """The file's network: clips (B, C, T, H, W) -> its outputs."""
    if kind == "torch":
        with _quiet():
            module: Call = torch.export.load(io.BytesIO(data)).module()
        return module
    import onnxruntime  # an extra of its own

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda clips: [torch.from_numpy(value) for value in session.run(None, {INPUT: clips.numpy()})]


def difference_of(call: Call, whole: Whole, clips: Tensor) -> float:
    """The largest absolute difference in any output, with one clip and with all."""
    differences = []
    with torch.no_grad():
        for batch in (clips[:1], clips):
            pair = (values if isinstance(values, Sequence) else [values] for values in (call(batch), whole(batch)))
            differences += [(output - wanted).abs().max() for output, wanted in zip(*pair, strict=True)]
    return float(torch.stack(differences).max())


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporters say of their own insides, which nobody who exports could mend."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
