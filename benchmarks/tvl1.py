"""Claim: TV-L1 is many times faster here than in scikit-image and OpenCV's contrib, and as exact.

64 consecutive pairs of Ped2 at 240x360 where it is found (PAGEN_DATA), else of the street; each method in
a process of its own with as many threads, OpenCV's contrib in an environment of its own, since its wheel
and the plain one overwrite each other. Residual: mean |I1(x + flow) - I0| in grey levels.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

PAIRS = 64
METHODS = ("compiled", "plain", "scikit-image", "contrib")
CONTRIB = Path("build/contrib")


def main() -> None:
    """Run the methods one after the other and print milliseconds a pair and the ratios."""
    pythons = dict.fromkeys(METHODS, sys.executable) | {"contrib": contrib_python()}
    with tempfile.TemporaryDirectory() as folder:
        save_frames(Path(folder))
        answers = {m: subprocess.check_output([python, __file__, m, folder]) for m, python in pythons.items()}
    results = {method: json.loads(answer) for method, answer in answers.items()}
    for method, row in results.items():
        faster = "  ".join(f"{results[other]['ms'] / row['ms']:5.1f} x {other}" for other in METHODS[2:])
        about = f"residual {row['residual']:.3f}  first 4 pairs {row['first']:.1f} s"
        print(f"{method:<13} {row['ms']:6.1f} ms a pair  {about}  {faster}")


def contrib_python() -> str:
    """The interpreter of the environment that holds OpenCV's contrib, made on first use."""
    python = CONTRIB / "bin/python"
    if not python.exists():
        subprocess.check_call([sys.executable, "-m", "venv", CONTRIB])
        subprocess.check_call([python, "-m", "pip", "install", "--quiet", "opencv-contrib-python-headless", "numpy"])
    return str(python.absolute())


def save_frames(folder: Path) -> None:
    """65 consecutive grey frames (240, 360) as frames.npy."""
    import cv2
    import numpy as np
    from found import ped2_or_street

    import pagen

    prepared = pagen.prepare(ped2_or_street(), size=None)
    frames = prepared.frames(prepared.clips("train")[0])[: PAIRS + 1, ..., 0]
    np.save(folder / "frames.npy", np.stack([cv2.resize(frame, (360, 240)) for frame in frames]))


def measure(method: str, folder: Path) -> None:
    """Print what one method needs for the pairs, after a first chunk that may compile, and its residual."""
    import cv2
    import numpy as np

    frames = np.load(folder / "frames.npy")
    flows = function_of(method)
    begin = time.perf_counter()
    flows(frames[:5])
    first = time.perf_counter() - begin
    begin = time.perf_counter()
    maps = flows(frames)
    seconds = time.perf_counter() - begin
    ys, xs = np.mgrid[: frames.shape[1], : frames.shape[2]].astype(np.float32)
    errors = [
        np.abs(cv2.remap(np.float32(after), xs + flow[0], ys + flow[1], cv2.INTER_CUBIC) - before)[8:-8, 8:-8].mean()
        for (before, after), flow in zip(pairwise(frames), maps, strict=True)
    ]
    print(json.dumps({"ms": seconds / PAIRS * 1e3, "first": first, "residual": float(np.mean(errors))}))


def function_of(method: str):  # type: ignore[no-untyped-def]  # the other environment knows no types of ours
    """Frames (T, H, W) uint8 -> T - 1 flow maps (2, H, W), x then y."""
    import numpy as np

    if method == "contrib":
        import cv2

        dual = cv2.optflow.createOptFlow_DualTVL1()
        return lambda frames: [dual.calc(one, two, None).transpose(2, 0, 1) for one, two in pairwise(frames)]
    if method == "scikit-image":
        from skimage.registration import optical_flow_tvl1

        return lambda frames: [optical_flow_tvl1(*pair)[::-1] for pair in pairwise(frames.astype(np.float32) / 255)]
    import torch

    from pagen.footage.tvl1 import PAIRS_AT_ONCE, TVL1

    tvl1 = TVL1(compiled=method == "compiled")

    def flows(frames):  # type: ignore[no-untyped-def]  # as above
        images = torch.from_numpy(frames).float() / 255
        chunks = zip(images[:-1].split(PAIRS_AT_ONCE), images[1:].split(PAIRS_AT_ONCE), strict=True)
        with torch.inference_mode():
            return torch.cat([tvl1(one, two) for one, two in chunks]).numpy()

    return flows


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
