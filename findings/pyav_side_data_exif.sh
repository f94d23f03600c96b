#!/usr/bin/env bash
# PyAV from 17.1 on gives no side data at all of a frame out of a JPEG with EXIF (pip: av, FFmpeg 8.1 inside).
#
# What was seen (av 17.1.0 and 18.1.0, FFmpeg 8.1, beside 15.1.0 with 7.1 and 16.1.0 with 8.0; CPU, Linux x86_64):
# - FFmpeg 8.1's MJPEG decoder hands the EXIF block of a picture on as side data of the frame, a kind that PyAV's own
#   table of kinds lacks. Any look at `frame.side_data` then raises `ValueError: 31 is not a valid Type`: iterating, its
#   length, and `.get("MOTION_VECTORS")` or `.get("DISPLAYMATRIX")` too, though those are kinds it knows. One unknown
#   entry hides all known ones.
# - Decoding works, and so does `frame.rotation`, which answers -90 for orientation 6. But it cannot take the matrix's
#   place: it answers -180 for orientation 2 (mirrored left to right) as for orientation 3 (upside down).
# - Whoever reads camera streams is hit by the camera, not by the code: most MJPEG of cameras has no EXIF, that of phones
#   and of cameras that stamp time or place has it, and nothing in the container tells.
# So side data is to be read with ValueError caught, frame by frame. What 15.1 and 16.1 answer is shown beside it.
set -euo pipefail
PYTHON=${PYTHON:-python3}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/look.py" <<'PY'
import io
import sys

import av
import numpy as np
from PIL import Image


def jpeg(**tags):
    exif, file = Image.Exif(), io.BytesIO()
    for name, value in tags.items():
        exif[{"orientation": 0x0112, "make": 0x010F}[name]] = value
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(file, "JPEG", **({"exif": exif} if tags else {}))
    return file.getvalue()


def told(data):
    with av.open(io.BytesIO(data), format="mjpeg") as container:
        frame = next(container.decode(video=0))
    try:
        kinds = sorted(each.type.name for each in frame.side_data)
    except ValueError as error:
        kinds = str(error)
    try:
        vectors = str(frame.side_data.get("MOTION_VECTORS"))
    except ValueError as error:
        vectors = str(error)
    return kinds, vectors, frame.rotation


found = {
    "plain": told(jpeg()),
    "make": told(jpeg(make="a camera")),
    "turned": told(jpeg(orientation=6)),
    "mirrored": told(jpeg(orientation=2)),
    "upside": told(jpeg(orientation=3)),
}
for name, answer in found.items():
    print(f"av {av.__version__} {name:8s} side data {answer[0]}, motion vectors {answer[1]}, rotation {answer[2]}")
odd, none = "31 is not a valid Type", "None"
if sys.argv[1] == "old":
    expected = {
        "plain": ([], none, 0),
        "make": ([], none, 0),
        "turned": (["DISPLAYMATRIX"], none, -90),
        "mirrored": (["DISPLAYMATRIX"], none, -180),
        "upside": (["DISPLAYMATRIX"], none, -180),
    }
else:
    turns = {"make": 0, "turned": -90, "mirrored": -180, "upside": -180}
    expected = {"plain": ([], none, 0), **{name: (odd, odd, turn) for name, turn in turns.items()}}
assert found == expected, f"another answer than described: {found}"
PY
for version in 15.1.0:old 16.1.0:old 17.1.0:new 18.1.0:new; do
  "$PYTHON" -m venv "$work/${version%:*}"
  "$work/${version%:*}/bin/pip" install --quiet --disable-pip-version-check "av==${version%:*}" numpy==2.4.6 pillow==12.0.0
  "$work/${version%:*}/bin/python" "$work/look.py" "${version#*:}"
done
echo "as described"
