"""Features out of files: what rows belong to, how files are found, and every slip in one line."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import extract
from pagen.features.file import counts_of
from pagen.features.open import check_sources, open_source, open_stream
from pagen.features.spec import FeatureSpec
from pagen.footage.prepare import prepare

LENGTHS = {"train_a": 9, "test_x": 6}
RNG = np.random.default_rng(0)
BOX = np.array([[1.0, 2.0, 9.0, 12.0]])
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write({"train_a.npy": array, "b.npz": {"features": array}})`: a folder of such files."""

    def written(files: dict[str, Any]) -> Path:
        folder = tmp_path / "vectors"
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("npz"):
                np.savez(folder / name, **content)
            elif name.endswith("npy"):
                np.save(folder / name, content, allow_pickle=True)
            else:
                (folder / name).write_text(json.dumps(content), encoding="utf-8")
        return folder

    return written


@pytest.fixture
def opened(root: Path) -> Callable[..., Any]:
    """`opened(folder, snippet=16)`: the source of its files."""

    def source(folder: Path | str, **options: Any) -> Any:
        return open_source(FeatureSpec(f"file:{folder}", **options), "folder", Compute(root, "cpu", 0))

    return source


def rows(count: int, width: int = 4) -> npt.NDArray[np.float32]:
    return RNG.normal(size=(count, width)).astype(np.float32)


def of_frames(**changes: Any) -> dict[str, Any]:
    return {"train_a.npy": rows(9), "test_x.npy": rows(6), **changes}


def test_one_vector_a_frame_and_no_frame_is_decoded(
    write: Write, opened: Callable[..., Any], root: Path, tmp_path: Path
) -> None:
    files = of_frames()
    source = pickle.loads(pickle.dumps(opened(write(files))))
    folder = extract(source, list(LENGTHS), Compute(root, "cpu", 0))
    for clip, length in LENGTHS.items():
        np.testing.assert_array_equal(folder.features(clip), files[f"{clip}.npy"])
        assert folder.frames(clip).tolist() == list(range(length))
    assert (folder.span, folder.size, folder.boxes("test_x")) == (1, 4, None)
    assert not list((tmp_path / "cache").glob("*/clips"))
    native = prepare("folder", root, None, workers=0)
    for clip in LENGTHS:
        assert source.prepared.length(clip) == native.length(clip)
        np.testing.assert_array_equal(source.prepared.labels(clip), native.labels(clip))
    assert (source.prepared.size, source.prepared.fps) == (native.size, native.fps)


@pytest.mark.parametrize("tail", ["floor", "ceil"])
def test_snippets_are_of_their_frames(write: Write, opened: Callable[..., Any], tail: str, root: Path) -> None:
    more = tail == "ceil"
    files = {"train/a.npy": rows(2 + more), "test/x.npy": rows(1 + more), "features.json": {"snippet": 4}}
    folder = extract(opened(write(files)), list(LENGTHS), Compute(root, "cpu", 0))
    assert folder.span == 4
    assert folder.frames("train_a").tolist() == [0, 4, 8][: 2 + more]
    np.testing.assert_array_equal(folder.features("train_a"), files["train/a.npy"])


def test_windows_end_with_their_frame(write: Write, opened: Callable[..., Any]) -> None:
    files = {"training/a_i3d.npy": rows(9 - 3), "testing/x_i3d.npy": rows(6 - 3)}
    found = opened(write(files), window=4)("train_a")
    first = files["training/a_i3d.npy"]
    np.testing.assert_array_equal(found.vectors, first[[0, 0, 0, 0, 1, 2, 3, 4, 5]])
    assert (found.frames.tolist(), found.span) == (list(range(9)), 1)


def test_a_clip_shorter_than_a_window_has_one(write: Write, opened: Callable[..., Any]) -> None:
    files = of_frames(**{"train_a.npy": rows(1), "test_x.npy": rows(1)})
    np.testing.assert_array_equal(opened(write(files), window=20)("train_a").vectors, files["train_a.npy"][[0] * 9])


def test_crops_are_averaged(write: Write, opened: Callable[..., Any]) -> None:
    crops = RNG.normal(size=(9, 10, 3)).astype(np.float16)
    source = opened(write(of_frames(**{"train_a.npy": crops, "test_x.npy": crops[:6]})))
    assert source.config()["features"] == 3
    np.testing.assert_allclose(source("train_a").vectors, np.mean(crops.astype(np.float64), axis=1), rtol=1e-6)


def test_boxes_beside_them_make_objects(write: Write, opened: Callable[..., Any], root: Path) -> None:
    boxes = np.array([[1, 2, 9, 12], [3, 3, 8, 8], [0, 0, 5, 5]], float)
    content = {"features": rows(3), "frames": np.array([4, 0, 4]), "boxes": boxes}
    files = {"a.npz": content, "x.npz": {**content, "frames": np.array([0, 1, 2])}}
    folder = extract(opened(write(files)), list(LENGTHS), Compute(root, "cpu", 0))
    assert folder.objects
    assert folder.frames("train_a").tolist() == [0, 4, 4]
    np.testing.assert_array_equal(folder.boxes("train_a"), boxes[[1, 0, 2]])
    np.testing.assert_array_equal(folder.features("train_a"), content["features"][[1, 0, 2]])


def test_changed_files_are_other_features(write: Write, opened: Callable[..., Any], root: Path, tmp_path: Path) -> None:
    compute, out = Compute(root, "cpu", 0), tmp_path / "kept"
    extract(opened(write(of_frames())), ["test_x"], compute, out)
    with pytest.raises(PagenError, match="was made otherwise: files "):
        extract(opened(write(of_frames())), ["test_x"], compute, out)


def test_a_folder_may_hold_several_data_sets(write: Write, opened: Callable[..., Any]) -> None:
    files = {f"folder/{name}": array for name, array in of_frames().items()}
    source = opened(write({**files, "other/test_x.npy": rows(3)}))
    np.testing.assert_array_equal(source("train_a").vectors, files["folder/train_a.npy"])


def test_one_split_is_enough_for_it(write: Write, opened: Callable[..., Any]) -> None:
    source = opened(write({"a.npy": rows(9)}))
    assert len(source("train_a").vectors) == 9
    with pytest.raises(
        PagenError, match=r"expected a file of each clip of folder in .*, found none of 1, first test_x"
    ):
        source("test_x")


UNFIT = [
    (
        {"train_a.npy": rows(8)},
        {},
        r"expected 9 rows for the 9 frames of clip train_a in .*, one a frame, found 8; take",
    ),
    ({"train_a.npy": rows(1)}, {}, "found 1; snippets of 16 frames fit: give --snippet 16"),
    ({}, {"snippet": 4}, r"expected 2 or 3 rows for the 9 frames .* one a snippet of 4, found 9"),
    ({"train_a.npy": rows(8)}, {"snippet": 1}, r"expected 9 rows for the 9 frames of clip train_a in .*found 8"),
    ({}, {"window": 4}, r"expected 6 rows for the 9 frames .* one a window of 4, found 9"),
    ({"train_a.npy": rows(9, 5)}, {}, r"expected vectors of one width in all files, found 5 in .* and 4 in "),
    (
        {"train_a.npy": rows(9)[0]},
        {},
        r"expected features \(N, D\) or \(N, crops, D\) of floats.* found an array of float32 and shape \(4,\); write",
    ),
    ({"train_a.npy": np.arange(36).reshape(9, 4)}, {}, r"found an array of int64 and shape \(9, 4\); write"),
    ({"train_a.npy": rows(9, 0)}, {}, r"found rows without a number \(shape \(9, 0\)\); write it again"),
    ({"train_a.npy": np.array([{}] * 9)}, {}, r"found pickled objects; write it again"),
    ({"train_a.npz": {"features": rows(9)}}, {}, "expected one file of clip train_a, found "),
    ({"features.json": {"snippet": 0, "stride": 1}}, {}, "named 'stride'; known: snippet window"),
    ({"features.json": {"snippet": 3}}, {"snippet": 4}, "expected --snippet and --window as in "),
    ({}, {"snippet": 4, "window": 2}, "expected --snippet or --window, of 1 and more, found 4 and 2"),
    ({}, {"bins": 4}, "expected no --bins with features file, found 4"),
]


@pytest.mark.parametrize(("changes", "options", "message"), UNFIT)
def test_what_does_not_fit_is_told_in_a_line(
    changes: dict[str, Any], options: dict[str, Any], message: str, write: Write, opened: Callable[..., Any]
) -> None:
    folder = write(of_frames(**changes))
    with pytest.raises(PagenError, match=message) as caught:
        opened(folder, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"vectors": rows(2)}, "found no array of that name beside vectors; write"),
        ({"features": rows(2), "frames": np.array([0, 9])}, "expected frames from 0 to 8 of clip train_a .* 0 to 9"),
        (
            {"features": rows(2), "frames": np.array([0.5, 1])},
            r"found frames of float64 and shape \(2,\) beside",
        ),
        ({"features": rows(2), "frames": np.array([0, 1, 2])}, r"found frames of int64 and shape \(3,\) beside 2 rows"),
        ({"features": rows(9), "boxes": np.zeros((9, 4))}, "found boxes without frames, which say where each row"),
        (
            {"features": rows(1), "frames": np.array([0]), "boxes": BOX[:, :2]},
            r"boxes of float64 and shape \(1, 2\)",
        ),
        ({"features": rows(1), "frames": np.array([0]), "boxes": BOX.astype(str)}, "found boxes of <U32 and shape"),
        ({"features": rows(1), "frames": np.array([0]), "boxes": BOX * np.nan}, "found boxes with NaN or infinity"),
        ({"features": rows(1), "frames": np.array([0]), "boxes": BOX}, "boxes in all files or in none"),
        (
            {"features": rows(1), "frames": np.array([0]), "boxes": BOX[:, [2, 1, 0, 3]]},
            "without area, first 9, 2, 1, 12",
        ),
        (
            {"features": rows(1), "frames": np.array([0]), "boxes": BOX[:, [0, 3, 2, 1]]},
            "without area, first 1, 12, 9, 2",
        ),
        ({"features": rows(1), "frames": np.array([0]), "boxes": np.zeros((1, 4))}, "without area, first 0, 0, 0, 0"),
    ],
)
def test_archives_that_do_not_fit(content: Any, message: str, write: Write, opened: Callable[..., Any]) -> None:
    with pytest.raises(PagenError, match=message):
        opened(write({"train_a.npz": content, "test_x.npy": rows(6)}))


def test_what_is_not_there(write: Write, opened: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"expected a folder of \.npy or \.npz files.*nowhere, found none"):
        opened(tmp_path / "nowhere")
    with pytest.raises(PagenError, match=r"expected features 'file:DIR', found 'file'; name the DIR"):
        FeatureSpec("file")
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(PagenError, match="found none of 1, first train_a"):
        opened(tmp_path)
    with pytest.raises(PagenError, match=r"a folder of \.npy or \.npz files"):
        check_sources(FeatureSpec(f"file:{write({})}"), "cpu")
    (tmp_path / "cut.npy").rename(write(of_frames()) / "train_a.npy")
    with pytest.raises(PagenError, match=r"without pickles, in .*train_a\.npy, found a damaged one \("):
        opened(tmp_path / "vectors")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_is_no_number_names_clip_and_frame(
    value: float, write: Write, opened: Callable[..., Any], root: Path
) -> None:
    vectors = rows(9).astype(np.float64)
    vectors[3, 1] = value
    source = opened(write(of_frames(**{"train_a.npy": vectors})))
    with pytest.raises(PagenError, match=r"clip train_a: expected finite features.* in 1 of 9 rows, first of frame 3"):
        extract(source, ["train_a"], Compute(root, "cpu", 0))


def test_files_are_of_no_camera(write: Write) -> None:
    source = open_stream(FeatureSpec(f"file:{write(of_frames())}"), (32, 48), "cpu")
    with pytest.raises(PagenError, match="expected features that can be computed in a stream"):
        source.newest(np.zeros((1, 32, 48, 1), np.uint8))


@given(st.integers(1, 200), st.integers(2, 40))
def test_every_tail_of_the_field_is_taken(length: int, snippet: int) -> None:
    whole, beyond = divmod(length, snippet)
    assert max(whole, 1) in counts_of(length, snippet, 0)
    assert whole + (beyond > 0) in counts_of(length, snippet, 0)
    assert all((count - 1) * snippet < length for count in counts_of(length, snippet, 0))


@pytest.mark.parametrize(
    ("box", "fits"),
    [
        ([-1.5, -2.0, 9.0, 12.0], True),
        ([-3.0, 2.0, 9.0, 12.0], False),
        ([1.0, 2.0, 1e300, 12.0], False),
        ([9000.0, 2.0, 9001.0, 12.0], False),
        ([-2.0, 2.0, 0.0, 12.0], False),
    ],
)
def test_boxes_lie_inside_the_frame(write: Write, opened: Callable[..., Any], box: list[float], fits: bool) -> None:
    rest = {"features": rows(1), "frames": np.array([0]), "boxes": BOX}
    folder = write({"train_a.npz": {**rest, "boxes": np.array([box])}, "test_x.npz": rest})
    if fits:
        height, width = opened(folder).prepared.size
        found = opened(folder)("train_a").boxes
        assert ((found >= 0) & (found <= [width, height, width, height])).all()
        return
    with pytest.raises(
        PagenError, match=r"expected boxes .* inside \d+x\d+ pixels \(clip train_a\), found .*train_a.npz"
    ):
        opened(folder)


def damaged(kind: str) -> bytes:
    """An npz that is no npz, in ways of its own."""
    file = io.BytesIO()
    if kind == "no array":
        with zipfile.ZipFile(file, "w") as pack:
            pack.writestr("features.npy", "text")
        return file.getvalue()
    if kind == "larger than memory":
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 8)}
        np.lib.format.write_array_header_1_0(file, header)
        return file.getvalue()
    np.savez_compressed(file, features=rows(9))
    content = bytearray(file.getvalue())
    if kind == "flipped":
        content[60:200] = bytes(byte ^ 0xFF for byte in content[60:200])
    directory = bytes(content).find(b"PK\x01\x02")
    if kind == "encrypted":
        content[6] |= 1
        content[directory + 8] |= 1
    if kind == "unknown compression":
        content[8] = content[directory + 10] = 97
    return bytes(content[:200] if kind == "cut short" else content)


@pytest.mark.parametrize(
    "kind", ["no array", "larger than memory", "flipped", "encrypted", "unknown compression", "cut short"]
)
def test_damaged_files_are_told_in_one_line(write: Write, opened: Callable[..., Any], kind: str) -> None:
    folder = write({"test_x.npy": rows(6)})
    (folder / f"train_a.{'npy' if kind == 'larger than memory' else 'npz'}").write_bytes(damaged(kind))
    with pytest.raises(PagenError, match=r"expected features \(N, D\) .* without pickles, in .*train_a"):
        opened(folder)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ('{"snippet": true}', "a whole number for snippet in .*features.json, found True"),
        ('{"snippet": 4.5}', "a whole number for snippet in .*features.json, found 4.5"),
        ('{"snippet": 1e999}', "a whole number for snippet in .*features.json, found inf"),
        ("[" * 100_000, "as JSON in .*features.json, found maximum recursion depth"),
    ],
)
def test_what_a_row_is_of_is_a_whole_number(write: Write, opened: Callable[..., Any], about: str, said: str) -> None:
    folder = write(of_frames())
    (folder / "features.json").write_text(about)
    with pytest.raises(PagenError, match=said):
        opened(folder)


@pytest.mark.parametrize("dtype", ["bool", "complex64", "U1", "M8[s]"])
def test_boxes_are_numbers(write: Write, opened: Callable[..., Any], dtype: str) -> None:
    boxes = np.array([[0, 0, 1, 1]]).astype(dtype)
    with pytest.raises(PagenError, match=r"found boxes (of|that are) "):
        opened(write({"train_a.npz": {"features": rows(1), "frames": np.array([0]), "boxes": boxes}}))


def test_the_advice_of_snippets_can_be_followed(root: Path, write: Write, opened: Callable[..., Any]) -> None:
    with pytest.raises(PagenError, match="snippets of 16 frames fit: give --snippet 16"):
        opened(folder := write({"train_a.npy": rows(1), "test_x.npy": rows(1)}))
    opened(folder, snippet=16)
    (folder / "features.json").write_text('{"window": 3}')
    with pytest.raises(PagenError, match=r"snippets of 16 frames fit: say so in .*features.json"):
        opened(folder)
    (folder / "features.json").write_text('{"snippet": 16}')
    opened(folder)
