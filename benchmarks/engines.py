"""Claim: a stream of torch's convolutions is at least as fast as ONNX Runtime and OpenVINO, a window at a time.

The autoencoder at `small` and `paper` width, frames at 192x288 that come by four, on all cores: the encoder, for which
ours keeps what windows share and the others compute whole windows; then the decoder of one frame, for which nothing is
kept. fp32 and, where the processor has it, bf16. All sides in one process, in turns, and how far each is from torch's
fp32. OpenVINO is no requirement of pagen: `pip install openvino`, or its lines are left out.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import onnxruntime
import torch
from networks import made
from torch import Tensor, nn

from pagen.device import rounding
from pagen.models.conv_ae import ConvAE3d, decoded_frames
from pagen.models.speed import fast_clips, keep_memory
from pagen.models.streaming import over_windows

WINDOW, AT_ONCE, ROUNDS, SIZE = 16, 4, 5, (192, 288)
Network = Callable[[Tensor], Tensor]
"""Clips (B, C, T, H, W) -> what the encoder or the decoder makes of them."""


class OneFrame(nn.Module):
    """The last frame of codes (B, D, T', H', W')."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, codes: Tensor) -> Tensor:
        """Frames (B, C, 1, H, W)."""
        return decoded_frames(self.network.decoder, codes, [WINDOW - 1], SIZE)


@torch.inference_mode()
def main() -> None:
    """Encoder and decoder at both widths."""
    keep_memory()
    for widths in ("small", "paper"):
        network = made(widths).eval()
        frames = fast_clips(torch.rand(WINDOW + AT_ONCE, 1, 1, *SIZE) * 2 - 1)
        windows = [frames[first : first + WINDOW].transpose(0, 2) for first in range(1, AT_ONCE + 1)]
        clips = fast_clips(torch.cat(windows))
        streams = {f"ours, a stream, {name}": streamed(network, frames, name) for name in ("fp32", "bf16")}
        compare(f"{widths} encoder", network.encoder, clips, streams)
        compare(f"{widths} decoder of one frame", OneFrame(network), fast_clips(network.encoder(clips)), {})


def streamed(network: ConvAE3d, frames: Tensor, precision: str) -> Network:
    """The codes of the newest windows, by a stream that has seen the frames before."""
    stream = over_windows(network.encoder, WINDOW)

    def codes(_: Tensor) -> Tensor:
        with rounding(precision, "cpu"):
            return stream(frames[WINDOW:]).float()

    with rounding(precision, "cpu"):
        stream(frames[:WINDOW])
    return codes


def compare(name: str, module: nn.Module, given: Tensor, ours: dict[str, Network]) -> None:
    """A line for each side: milliseconds a window, times torch's, and the largest difference."""
    sides = {"torch fp32": module, "torch bf16": in_bf16(module), **ours, **peers(module, given)}
    wanted, seconds = module(given), {side: float("inf") for side in sides}
    differences = {side: float((call(given) - wanted).abs().max()) for side, call in sides.items()}
    for _ in range(ROUNDS):
        for side, call in sides.items():
            begun = time.perf_counter()
            call(given)
            seconds[side] = min(seconds[side], time.perf_counter() - begun)
    for side, least in seconds.items():
        times = seconds["torch fp32"] / least
        print(f"{name:<27} {side:<22} {1000 * least / AT_ONCE:7.1f} ms {times:5.2f} x   apart {differences[side]:.0e}")


def in_bf16(module: nn.Module) -> Network:
    """The module under autocast."""

    def call(given: Tensor) -> Tensor:
        with rounding("bf16", "cpu"):
            out: Tensor = module(given)
        return out.float()

    return call


def peers(module: nn.Module, given: Tensor) -> dict[str, Network]:
    """The same module by other runtimes."""
    found = {"ONNX Runtime fp32": by_onnxruntime(module, given)}
    if find_spec("openvino") is not None:
        found |= {f"OpenVINO {name}": by_openvino(module, given, name) for name in ("f32", "bf16")}
    return found


def by_onnxruntime(module: nn.Module, given: Tensor) -> Network:
    """Through torch's exporter."""
    buffer = io.BytesIO()
    made = torch.onnx.export(module, (given,), input_names=["given"], dynamo=True, verbose=False)
    assert made is not None
    made.save(buffer)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(buffer.getvalue(), options, providers=["CPUExecutionProvider"])
    return lambda values: torch.from_numpy(session.run(None, {"given": values.numpy()})[0])


def by_openvino(module: nn.Module, given: Tensor, precision: str) -> Network:
    """Through its own converter; unless told f32, it takes bf16 where the processor has it."""
    import openvino

    model = openvino.convert_model(module, example_input=given, input=list(given.shape))
    hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.compile_model(model, "CPU", {**hints, "INFERENCE_NUM_THREADS": torch.get_num_threads()})
    return lambda values: torch.from_numpy(compiled(values.numpy())[0].copy())


if __name__ == "__main__":
    main()
