#!/usr/bin/env bash
# OpenCV 5.0 answers another optical flow than 4.14 for the same two frames, in silence (pip: opencv-python-headless).
#
# What was seen (4.14.0.94 beside 5.0.0.93, CPU, Linux x86_64; 4.12 and 4.13 answer as 4.14 does):
# - DISOpticalFlow's presets FAST and MEDIUM differ, by 1.9 pixels at the worst place of a textured pair of 192x288 in
#   which an object moves by 12 pixels and the ground by 3; ULTRAFAST is the same, bit for bit. What differs is the
#   variational refinement, which ULTRAFAST leaves out: VariationalRefinement alone differs as well.
# - Why: the refinement warps by bilinear `remap`. Up to 4.14 that rounds coordinates to 1/32 of a pixel, so that a shift
#   by 0.01 moves nothing; from 5.0 on it interpolates exactly, in float and in uint8, and so does warpAffine.
# - Nothing else of what a detector uses changed with it: resize (linear, area, Lanczos, nearest), connected components,
#   Telea's inpainting, MOG2 and Farneback's flow are equal byte for byte.
# So flow that was cached by 4.x must not be mixed with flow made by 5.x (thresholds on flow neither), and the version of
# OpenCV belongs to the fingerprint of whatever is made of flow. The number of threads, often blamed, changes nothing.
set -euo pipefail
PYTHON=${PYTHON:-python3}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/flow.py" <<'PY'
import sys

import cv2
import numpy as np

noise = np.random.default_rng(0).integers(0, 256, (232, 328)).astype(np.uint8)
texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
before, after = texture[20:212, 20:308].copy(), texture[18:210, 23:311].copy()
before[64:104, 50:80] = after[64:104, 62:92] = 200  # an object of its own speed

found = {}
for name in ("ULTRAFAST", "FAST", "MEDIUM"):
    preset = getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{name}")
    flows = []
    for threads in (1, 2, 8):
        cv2.setNumThreads(threads)
        flows.append(cv2.DISOpticalFlow_create(preset).calc(before, after, None))
    assert all(np.array_equal(flow, flows[0]) for flow in flows), "threads matter now"
    found[name] = flows[0]
start = found["ULTRAFAST"].copy()
found["refinement"] = cv2.VariationalRefinement_create().calc(before, after, start)
ramp = np.arange(8, dtype=np.float32)[None]
place = np.full((1, 1), 3.01, np.float32)
found["remap"] = cv2.remap(ramp, place, np.zeros_like(place), cv2.INTER_LINEAR)
found["farneback"] = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)
for name in ("LINEAR", "AREA", "NEAREST", "LANCZOS4"):
    found[f"resize_{name}"] = cv2.resize(before, (160, 100), interpolation=getattr(cv2, f"INTER_{name}"))
_, found["components"], found["boxes"], _ = cv2.connectedComponentsWithStats((before > 200).astype(np.uint8))
background = cv2.createBackgroundSubtractorMOG2()
found["mog2"] = np.stack([background.apply(frame) for frame in (before, after)])
found["telea"] = cv2.inpaint(before, (before > 200).astype(np.uint8), 3, cv2.INPAINT_TELEA)
np.savez(sys.argv[1], **found)
PY
for version in 4.14.0.94 5.0.0.93; do
    "$PYTHON" -m venv "$work/$version"
    "$work/$version/bin/pip" install --quiet "opencv-python-headless==$version" "numpy==2.4.6"
    "$work/$version/bin/python" "$work/flow.py" "$work/$version.npz"
done
"$work/5.0.0.93/bin/python" - "$work" <<'PY'
import sys

import numpy as np

old, new = (np.load(f"{sys.argv[1]}/{version}.npz") for version in ("4.14.0.94", "5.0.0.93"))
apart = {name: float(np.abs(old[name].astype(float) - new[name].astype(float)).max()) for name in old.files}
for name, most in apart.items():
    print(f"{name:16} at most {most:.4f} apart")
print(f"a ramp at 3.01: {old['remap'].item():.4f} by 4.14, {new['remap'].item():.4f} by 5.0")
differ = {name for name, most in apart.items() if most > 0}
assert differ == {"FAST", "MEDIUM", "refinement", "remap"}, differ
assert apart["MEDIUM"] > 0.5, apart["MEDIUM"]
assert old["remap"].item() == 3.0 and abs(new["remap"].item() - 3.01) < 1e-5
PY
echo "as described"
