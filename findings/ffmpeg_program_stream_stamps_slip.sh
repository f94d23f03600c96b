#!/usr/bin/env bash
# FFmpeg reads back other stamps than it wrote into an MPEG programme stream of small frames.
#
# What was seen (PyAV 18.1.0, the FFmpeg libraries of its wheel):
# - 400 frames of a calm scene at 96x64, 25 a second, mpeg2video into .mpg: several frames share a packet of the
#   programme stream, which has one stamp. Read by the same library all 400 frames decode, none is flagged as corrupt, and
#   their stamps are not those that were written: now and then one step is twice as long, some ten to forty frames
#   later two frames have one stamp, and all is right again. The stamps of packets, pts and dts, slip alike.
# - Who takes a step of two frames for a lost frame counts losses in healthy recordings, and a frame number that is read
#   off the stamps is one too high in between. At the end of a file the slip stays.
set -euo pipefail
PYTHON=${PYTHON:-python3}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/env"
"$work/env/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cat > "$work/slips.py" <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np

path = sys.argv[1]
with av.open(path, "w") as container:
    stream = container.add_stream("mpeg2video", rate=25)
    stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
    for index in range(400):
        picture = np.full((64, 96, 3), 100, np.uint8)
        picture[20:40, index % 70 : index % 70 + 12] = 220
        frame = av.VideoFrame.from_ndarray(picture)
        frame.pts, frame.time_base = index, Fraction(1, 25)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
with av.open(path) as container:
    corrupt, frames = 0, []
    for packet in container.demux(video=0):
        corrupt += packet.is_corrupt
        frames += packet.decode()
steps = [round(25 * (after.time - before.time)) for before, after in zip(frames, frames[1:])]
odd = [step for step in steps if step != 1]
print(len(frames), "frames,", corrupt, "packets corrupt, steps other than 1:", odd)
assert (len(frames), corrupt) == (400, 0)
assert 2 in odd and 0 in odd and sum(steps) == 399
PY
"$work/env/bin/python" "$work/slips.py" "$work/calm.mpg"
echo "as described"
