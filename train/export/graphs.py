"""Networks as graphs that run without pagen, by `torch.export` and ONNX, and how far they are from the network."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

    Call = Callable[[Tensor], Tensor | Sequence[Tensor]]

INPUT = "clips"
OPSET = 18
"""The one that torch translates to; any other is a conversion of it."""


def whole_of(network: nn.Module) -> nn.Module:
    """The network in float32 as it is exported: of clips of any H and W, with padding and cutting off."""
    from torch import nn

    from pagen.models.conv_ae import reconstruct
    from pagen.models.luss import LUSSAE, predict

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network.float()

        def forward(self, clips: Tensor) -> Tensor | tuple[Tensor, ...]:
            if isinstance(self.network, LUSSAE):
                return tuple(predict(self.network, clips))
            return reconstruct(self.network, clips)

    return Whole().eval()


def _outputs(values: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    return values if isinstance(values, Sequence) else [values]


def serialised(whole: nn.Module, clips: Tensor, kind: str, about: dict[str, str]) -> tuple[bytes, list[str]]:
    """The file's bytes, and the names of its outputs."""
    import torch

    with torch.no_grad(), _quiet():
        several = isinstance(whole(clips), tuple)
        names = ["vcr", "ffp", "prp"] if several else ["reconstruction"]
        batch = torch.export.Dim("batch", min=1)
        program = torch.export.export(whole, (clips,), dynamic_shapes={INPUT: {0: batch}})
        program.example_inputs = None  # a file would show people of the data set to whoever gets it
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)  # and the paths of this machine
        data = _as_onnx(program, names, about) if kind == "onnx" else _as_torch(program, about)
    return data, names


def _as_torch(program: ExportedProgram, about: dict[str, str]) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={"pagen.json": json.dumps(about)})
    return buffer.getvalue()


def _as_onnx(program: ExportedProgram, names: list[str], about: dict[str, str]) -> bytes:
    import torch

    made = torch.onnx.export(
        program,
        input_names=[INPUT],
        output_names=names,
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
    import torch

    if kind == "torch":
        with _quiet():
            module: Call = torch.export.load(io.BytesIO(data)).module()
        return module
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda clips: [torch.from_numpy(value) for value in session.run(None, {INPUT: clips.numpy()})]


def difference_of(call: Call, whole: nn.Module, clips: Tensor) -> float:
    """The largest absolute difference in any output, with one clip and with all."""
    import torch

    differences = []
    with torch.no_grad():
        for batch in (clips[:1], clips):
            pairs = zip(_outputs(call(batch)), _outputs(whole(batch)), strict=True)
            differences += [(found - wanted).abs().max() for found, wanted in pairs]
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
