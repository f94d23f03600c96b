from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pagen.errors import PagenError
from pagen.footage import images, listing, video
from pagen.footage.jpeg import jpeg_shape

REGULAR = [index / 25 for index in range(12)]


def _grey() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)


def _write(path: Path, array: npt.NDArray[np.uint8]) -> Path:
    assert cv2.imwrite(str(path), array)
    return path


@pytest.mark.parametrize("extension", ["jpg", "png", "tif", "bmp"])
def test_images_are_those_that_opencv_reads(tmp_path: Path, extension: str) -> None:
    grey = _write(tmp_path / f"grey.{extension}", _grey())
    colour = _write(tmp_path / f"colour.{extension}", np.dstack([_grey(), _grey().T.reshape(40, 60), 255 - _grey()]))
    assert np.array_equal(images.read_image(grey), cv2.imread(str(grey), cv2.IMREAD_GRAYSCALE))
    assert np.array_equal(images.read_image(colour), cv2.imread(str(colour), cv2.IMREAD_COLOR)[..., ::-1])
    assert images.image_size(colour) == (40, 60)


def test_tiffs_are_those_that_tifffile_reads(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", _grey())
    assert np.array_equal(images.read_image(tmp_path / "a.tif"), tifffile.imread(tmp_path / "a.tif"))


def test_deep_images_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.png", _grey().astype(np.uint16) * 256)
    with pytest.raises(PagenError, match="8 bits a channel"):
        images.read_image(tmp_path / "a.png")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.995])
@pytest.mark.parametrize("extension", ["jpg", "png", "tif", "bmp"])
@pytest.mark.parametrize("writer", ["cv2", "pillow"])
def test_images_that_are_cut_short_are_refused(tmp_path: Path, extension: str, kept: float, writer: str) -> None:
    path = tmp_path / f"a.{extension}"
    if writer == "cv2":
        _write(path, _grey())
    else:
        Image.fromarray(_grey()).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(PagenError, match=r"a\.\w+, found it cut short or damaged"):
        images.read_image(path)


@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_a_missing_end_shows_without_decoding(tmp_path: Path, extension: str) -> None:
    path = _write(tmp_path / f"a.{extension}", _grey())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(PagenError, match="its end is missing"):
        images.image_size(path)


def test_what_stands_for_an_image_is_refused(tmp_path: Path) -> None:
    pointer, empty, text = tmp_path / "a.tif", tmp_path / "b.tif", tmp_path / "c.tif"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 86566\n")
    empty.touch()
    text.write_text("no image at all\n" * 100)
    for path, message in ((pointer, "git lfs pull"), (empty, "an empty file"), (text, "cut short or damaged")):
        for read in (images.image_size, images.read_image):
            with pytest.raises(PagenError, match=message):
                read(path)


def test_files_come_in_numerical_order_without_what_systems_leave(tmp_path: Path) -> None:
    names = ("10.jpg", "2.JPG", "1.png", "._2.jpg", ".DS_Store", "3.jpg~", "notes.txt")
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in listing.listing(tmp_path, listing.IMAGES)] == ["1.png", "2.JPG", "10.jpg"]


def test_a_sequence_has_one_size(tmp_path: Path) -> None:
    files = [_write(tmp_path / "0.png", _grey()), _write(tmp_path / "1.png", _grey()[:, 1:])]
    frames = images.image_frames(files)
    assert next(frames).shape == (40, 60)
    with pytest.raises(PagenError, match=r"1\.png"):
        next(frames)


def test_masks_are_true_where_any_channel_is_not_black(tmp_path: Path) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[3, 4, 0] = picture[5, 6, 2] = 1
    (mask,) = images.mask_frames([_write(tmp_path / "0.png", picture)])
    assert mask.dtype == bool
    assert np.argwhere(mask).tolist() == [[3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx"), ("a.mov", "mpeg4")],
)
def test_videos_keep_every_frame_in_order(tmp_path: Path, videos: Callable[..., Path], name: str, codec: str) -> None:
    path = videos(tmp_path / name, REGULAR, codec)
    frames = list(video.video_frames(path))
    assert len(frames) == video.video_length(path) == len(REGULAR)
    assert video.video_rate(path) == pytest.approx(25)
    assert frames[0].shape == (48, 64, 3)
    grey = [float(frame[30:, 40:].mean()) for frame in frames]
    np.testing.assert_allclose(grey, 20 + 5 * np.arange(12), atol=4)


def test_irregular_times_become_a_constant_rate(tmp_path: Path, videos: Callable[..., Path]) -> None:
    path = videos(tmp_path / "a.mkv", [0.0, 0.04, 0.08, 0.12, 0.16, 0.4])
    values = [round((float(frame[30:, 40:].mean()) - 20) / 5) for frame in video.video_frames(path)]
    assert values == [0, 2, 4, 4, 4, 5]


def test_grey_videos_stay_grey(tmp_path: Path, videos: Callable[..., Path]) -> None:
    path = videos(tmp_path / "a.avi", REGULAR, "ffv1", "gray")
    assert next(video.video_frames(path)).shape == (48, 64)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_that_of_opencv(tmp_path: Path, videos: Callable[..., Path], rotation: int) -> None:
    path = videos(tmp_path / "a.mp4", REGULAR, rotation=rotation)
    capture = cv2.VideoCapture(str(path))
    read, expected = capture.read()
    capture.release()
    assert read
    np.testing.assert_allclose(next(video.video_frames(path)), expected[..., ::-1], atol=3)


@pytest.mark.parametrize("kept", [0.4, 0.8])
@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "mpeg4"), ("a.avi", "mpeg4"), ("a.webm", "libvpx")]
)
def test_videos_that_are_cut_short_are_refused(
    tmp_path: Path, videos: Callable[..., Path], name: str, codec: str, kept: float
) -> None:
    path = videos(tmp_path / name, [index / 25 for index in range(40)], codec)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(PagenError, match=name):
        list(video.video_frames(path))


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    import av

    empty, text, sound = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.mkv"
    empty.touch()
    text.write_text("no video at all\n" * 100)
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    for path, message in ((empty, "an empty file"), (text, "cut short or damaged"), (sound, "no video stream")):
        for read in (video.video_rate, video.video_length):
            with pytest.raises(PagenError, match=message):
                read(path)


def test_videos_are_streamed(tmp_path: Path, videos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = videos(tmp_path / "a.mp4", REGULAR)
    pictures = []
    picture = video.rgb_or_grey
    monkeypatch.setattr(video, "rgb_or_grey", lambda frame: pictures.append(frame) or picture(frame))
    frames = video.video_frames(path)
    next(frames)
    assert len(pictures) == 1
    frames.close()  # type: ignore[attr-defined]


@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    grey=st.booleans(),
    quality=st.integers(5, 100),
    progressive=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_jpeg_is_looked_at_as_pillow_does(size: tuple[int, int], grey: bool, quality: int, progressive: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size if grey else (*size, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jpg")
        Image.fromarray(pixels).save(path, quality=quality, progressive=progressive)
        wanted = (*size, 1 if grey else 3)
        assert jpeg_shape(path, whole=True) == jpeg_shape(path, whole=False) == wanted
        data = path.read_bytes()
        for cut in (0, 1, 2, 3, len(data) // 3, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:cut])
            assert jpeg_shape(path, whole=True) is None
            with pytest.raises(PagenError, match=r"a\.jpg, found"):
                images.image_shape(path, whole=True)


@given(st.lists(st.from_regex(r"[a-c]?[0-9]{1,4}", fullmatch=True), unique=True))
@settings(deadline=None)
def test_files_are_listed_in_numerical_order(stems: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for stem in stems:
            Path(folder, f"{stem}.png").touch()
        found = listing.listing(Path(folder), listing.IMAGES)
        assert sorted(found) == sorted(Path(folder, f"{stem}.png") for stem in stems)
        keys = [listing.natural(path) for path in found]
        assert keys == sorted(keys)


def grey_of(path: Path) -> list[int]:
    """The number of each frame of a video that `videos` wrote, as it shows."""
    return [round((float(frame[30:, 40:].mean()) - 20) / 5) for frame in video.video_frames(path)]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.avi", "libx264"), ("a.mp4", "libx264")]
)
def test_a_segment_that_begins_late_is_not_cut_short(
    tmp_path: Path, videos: Callable[..., Path], name: str, codec: str
) -> None:
    path = videos(tmp_path / name, [20 + time for time in REGULAR], codec)
    assert grey_of(path) == list(range(12))
    assert (video.video_rate(path), dict(video.video_breaks(path))) == (pytest.approx(25), {})


def test_files_that_were_joined_are_read_whole_and_break_where_they_meet(
    tmp_path: Path, videos: Callable[..., Path]
) -> None:
    parts = [videos(tmp_path / f"{name}.mpg", [index / 25 for index in range(40)], "mpeg2video") for name in "ab"]
    both = tmp_path / "both.mpg"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert video.video_length(both) == len(list(video.video_frames(both))) == 80
    assert list(video.video_breaks(both)) == [40]


def test_frames_that_are_stamped_to_and_fro_come_at_regular_times(tmp_path: Path, videos: Callable[..., Path]) -> None:
    path = videos(tmp_path / "a.avi", [index / 25 for index in range(40)], "libx264")
    stamps = [frame.time for frame in video.decoded_frames(path)]
    assert stamps != sorted(stamps)  # B frames, of which AVI keeps no time
    ticks, frames = zip(*video.timed_frames(path), strict=True)
    np.testing.assert_allclose([tick.seconds for tick in ticks], np.arange(40) / 25, atol=0.041)
    assert (len(frames), grey_of(path), dict(video.video_breaks(path))) == (40, list(range(40)), {})


def test_a_pause_is_no_repeated_picture(tmp_path: Path, videos: Callable[..., Path]) -> None:
    path = videos(tmp_path / "a.mkv", [*REGULAR[:6], *(600 + time for time in REGULAR[6:])])
    assert grey_of(path) == list(range(12))
    assert dict(video.video_breaks(path)) == {6: "nothing for 600.0 s"}


def test_the_rate_is_that_at_which_frames_come(tmp_path: Path, videos: Callable[..., Path]) -> None:
    slow, paused = [index / 5 for index in range(12)], [*REGULAR, *(60 + time for time in REGULAR)]
    assert video.video_rate(videos(tmp_path / "a.avi", slow, "mpeg4")) == pytest.approx(5)  # its header says 25
    assert video.video_rate(videos(tmp_path / "b.mp4", paused)) == pytest.approx(25)  # whose header says 0.4


def test_slots_of_an_avi_that_hold_no_frame_are_no_lost_frames(tmp_path: Path, videos: Callable[..., Path]) -> None:
    path = videos(tmp_path / "a.avi", [index / 5 for index in range(12)], "ffv1")
    assert grey_of(path) == list(range(12))
    assert video.video_notes(path) == []
