"""Display matrices: pictures as their files ask for them, held against another library."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from pagen.footage.upright import upright

ORIENTATION = 0x0112


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_of_a_camera_that_was_held_otherwise_is_turned(orientation: int) -> None:
    """EXIF, which newer FFmpeg hands on as side data of a kind that PyAV does not know, and then hands out none."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = orientation
    corner = np.zeros((48, 64), np.uint8)
    corner[:16, :16] = 255
    Image.fromarray(corner).save(file, "JPEG", exif=exif, quality=95)
    with av.open(io.BytesIO(file.getvalue()), mode="r", format="mjpeg") as container:
        frame = next(container.decode(video=0))
    found = upright(frame.to_ndarray(format="gray"), frame)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(file)))
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found > 127, expected > 127)
