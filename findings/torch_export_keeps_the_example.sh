#!/usr/bin/env bash
# A model that torch has exported carries the example that it was exported with, and where the source code lay.
#
# What was seen (torch 2.13.0, onnx 1.23.2, onnxscript 0.7.2):
# - `torch.export.save` writes the example inputs into the .pt2 archive (data/sample_inputs/model.pt), all of their
#   values: of a network of 56 weights exported with one clip of 16 x 64 x 64 nearly the whole file is the clip. Who exports
#   a video model with a real clip, so that it is checked on real numbers, publishes that footage with the weights.
#   `ExportedProgram.example_inputs = None` before saving leaves it out.
# - The same archive, the file of `torch.onnx.export(dynamo=True)` and that of `torch.jit.trace` hold where the Python source
#   lay on the machine that exported, user name and all; of the three the .pt2 alone holds the example.
set -euo pipefail
PYTHON=${PYTHON:-python3}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2
mkdir "$work/where_the_source_lies"
cat > "$work/where_the_source_lies/exported.py" <<'PY'
import struct
import sys
import zipfile
from pathlib import Path

import torch

network = torch.nn.Conv3d(1, 2, 3, padding=1).eval()
clip = torch.full((1, 1, 16, 64, 64), 0.123456)
pixels, source = struct.pack("<f", 0.123456) * 64, b"where_the_source_lies"
folder = Path(sys.argv[1])


class Detector(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.network = network

    def forward(self, frames):
        return self.network(frames)


def holds(path):
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    print(f"{path.name}: {path.stat().st_size} bytes, the clip: {pixels in data}, the source's path: {source in data}")
    return pixels in data, source in data


program = torch.export.export(Detector(), (clip,))
torch.export.save(program, folder / "as_it_is.pt2")
program.example_inputs = None
torch.export.save(program, folder / "without_example.pt2")
torch.onnx.export(Detector(), (clip,), folder / "network.onnx", dynamo=True, verbose=False)
torch.jit.trace(Detector(), clip).save(folder / "traced.pt")
assert holds(folder / "as_it_is.pt2") == (True, True)
assert holds(folder / "without_example.pt2") == (False, True)
assert holds(folder / "network.onnx") == (False, True)
assert holds(folder / "traced.pt") == (False, True)
PY
(cd "$work" && env/bin/python -W ignore where_the_source_lies/exported.py "$work" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "as described"
