#!/usr/bin/env bash
# Whoever looks at the side data of PyAV's frames keeps them all until Python's next collection (pip: av).
#
# What was seen (av 15.1.0 and 18.1.0, CPU, Linux x86_64, Python 3.11):
# - `frame.side_data` makes a container that holds the frame, and the frame holds it: a cycle. Such a frame is not freed
#   when its name is, but when the collector of cycles runs; with `gc.disable()` never.
# - The collector counts objects, not bytes: a frame of 3 megabytes is two or three of 700. Reading 250 frames of 1080p,
#   one in hand at a time and gc enabled, takes 330 (15.1.0) and 513 megabytes (18.1.0) at its peak, without that look 61.
# - So a look for a display matrix, motion vectors or captions at each frame (`list(frame.side_data)`,
#   `frame.side_data.get("MOTION_VECTORS")`) is what makes a reader of streams seem to leak. `frame.rotation` does not.
# - What frees it: `SideDataContainer(frame)` of av.sidedata.sidedata, made by oneself, holds the frame and is held by
#   nobody (the stub of it leaves the argument out).
set -euo pipefail
PYTHON=${PYTHON:-python3}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/read.py" <<'PY'
import resource
import sys

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer

path, how = sys.argv[1:]
if how == "write":
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1920, 1080, "yuv420p", 2_000_000
        for index in range(250):
            picture = np.full((1080, 1920, 3), index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    sys.exit()
LOOKS = {
    "none": lambda frame: None,
    "rotation": lambda frame: frame.rotation,
    "side_data": lambda frame: list(frame.side_data),
    "own container": lambda frame: list(SideDataContainer(frame)),
}
with av.open(path) as container:
    for frame in container.decode(video=0):
        LOOKS[how](frame)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
PY
for version in 15.1.0 18.1.0; do
  "$PYTHON" -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check "av==$version" numpy==2.4.6
  run() { "$work/$version/bin/python" "$work/read.py" "$work/$version.mp4" "$1"; }
  run write
  declare -A peak=()
  for look in none rotation side_data "own container"; do
    peak[$look]=$(run "$look")
    echo "av $version, look at $look: at most ${peak[$look]} MB"
  done
  [ $((peak[side_data] - peak[none])) -gt 150 ] || { echo "side_data keeps no frames now"; exit 1; }
  [ $((peak[rotation] - peak[none])) -lt 60 ] && [ $((peak[own container] - peak[none])) -lt 60 ] || { echo "others keep frames now"; exit 1; }
done
echo "as described"
