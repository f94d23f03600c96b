"""The PA set as a torch data set: every entry against what it was made of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.utils.data import DataLoader

from pagen.errors import PagenError
from pagen.footage.flow import dis
from pagen.footage.prepare import Prepared, prepare
from pagen.generate import open_pa_set
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import Item, PASet, open_pa_folder
from pagen.generate.patch import Patch, render
from pagen.options import PSEUDO_KINDS

Ask = Callable[..., Generate]
FRAME_PSEUDO_KINDS = ["spatial", "skip", "patch"]


def as_array(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Frames (T, H, W, C) as (C, T, H, W) in [-1, 1]."""
    return np.moveaxis(np.asarray(frames), 3, 0).astype(np.float32) / np.float32(127.5) - np.float32(1)


def open_changed(made: Path, tmp_path: Path, **volatile: str) -> Path:
    """A copy of the set whose manifest names other paths."""
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["volatile"].update(volatile)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


def test_holds_every_segment_and_every_window_of_clips_that_are_long_enough(made: Path, prepared: Prepared) -> None:
    lengths = [prepared.length(name) for name in prepared.clips("train")]
    expected = {
        "spatial": sum(length // 16 for length in lengths),
        "temporal": sum((length - 1) // 16 for length in lengths),
        "skip": sum(length - 15 for length in lengths if length >= 31),
        "patch": sum(length - 15 for length in lengths if length >= 16),
    }
    assert {kind: len(open_pa_set(made, [kind])) for kind in PSEUDO_KINDS} == expected
    everything = open_pa_set(str(made))
    assert isinstance(everything, torch.utils.data.Dataset)
    assert len(everything) == sum(expected.values())
    assert [item.kind for item in everything.items] == [kind for kind in PSEUDO_KINDS for _ in range(expected[kind])]


@pytest.mark.parametrize("kind", PSEUDO_KINDS)
def test_entries(made: Path, prepared: Prepared, kind: str) -> None:
    clips = open_pa_set(made, [kind])
    height, width = prepared.size
    for index in range(0, len(clips), 3):
        pseudo, target, mask, metadata = clips[index]
        assert pseudo.shape == target.shape == (2 if kind == "temporal" else 1, 16, height, width)
        assert mask.shape == (1, 16, height, width)
        assert pseudo.dtype == target.dtype == mask.dtype == torch.float32
        assert 0 <= mask.min() < mask.max() <= 1
        assert metadata.keys() == {"kind", "clip", "start", "parameters"}
        assert metadata["kind"] == kind
        assert isinstance(json.loads(metadata["parameters"]), dict)
        kept = (mask == 0).expand_as(pseudo)
        assert kept.any()
        np.testing.assert_array_equal(pseudo[kept], target[kept])
        if kind != "temporal":
            assert pseudo.abs().max() <= 1
            start = metadata["start"]
            normal = as_array(prepared.frames(metadata["clip"])[start : start + 16])
            np.testing.assert_array_equal(target, normal)
    assert not torch.equal(*clips[0][:2])


def test_the_target_of_temporal_ones_is_the_flow_of_the_clip(made: Path, prepared: Prepared) -> None:
    clips = open_pa_set(made, ["temporal"])
    _, target, _, metadata = clips[len(clips) // 2]
    frames = prepared.frames(metadata["clip"])[metadata["start"] : metadata["start"] + 17, :, :, 0]
    flow = np.stack([step.astype(np.float16) for step in dis(iter(np.ascontiguousarray(frames)))], axis=1)
    np.testing.assert_array_equal(target.numpy(), flow.astype(np.float32))


def test_skip_is_every_sth_frame(made: Path, prepared: Prepared) -> None:
    clips = open_pa_set(made, ["skip"])
    strides = set()
    for pseudo, _, mask, metadata in (clips[index] for index in range(0, len(clips), 5)):
        stride, start = json.loads(metadata["parameters"])["stride"], metadata["start"]
        strides.add(stride)
        chosen = prepared.frames(metadata["clip"])[start::stride][:16]
        np.testing.assert_array_equal(pseudo, as_array(chosen))
        assert mask.amin(dim=(0, 2, 3)).tolist() == [0] + [1] * 15
    # 40 and 36 frames have room for stride 2 only
    assert strides == {2}


def test_patch_is_rendered_from_its_parameters(made: Path, prepared: Prepared) -> None:
    clips = open_pa_set(made, ["patch"])
    for index in range(0, len(clips), 9):
        pseudo, _, mask, metadata = clips[index]
        normal = prepared.frames(metadata["clip"])[metadata["start"] : metadata["start"] + 16]
        expected, shares = render(Patch.from_json(json.loads(metadata["parameters"])), normal)
        np.testing.assert_array_equal(pseudo, as_array(expected))
        np.testing.assert_array_equal(mask[0].numpy(), shares)


def test_a_loader_with_workers_gives_the_same_batches(made: Path) -> None:
    clips = torch.utils.data.Subset(open_pa_set(made, FRAME_PSEUDO_KINDS), range(56))
    alone, spread = (list(DataLoader(clips, batch_size=8, num_workers=count)) for count in (0, 2))
    assert len(alone) == len(spread) == 7
    assert {kind for *_, metadata in alone for kind in metadata["kind"]} == set(FRAME_PSEUDO_KINDS)
    for one, other in zip(alone, spread, strict=True):
        for here, there in zip(one[:3], other[:3], strict=True):
            np.testing.assert_array_equal(here, there)
        assert one[3].keys() == other[3].keys()
        assert all(list(one[3][key]) == list(other[3][key]) for key in one[3])


def test_flow_that_is_gone_is_computed_once_before_the_workers_start(
    made: Path, pseudo: PASet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_pa_set(made, ["temporal"])[3]
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path))
    monkeypatch.setattr("pagen.spread.default_workers", lambda: 0)
    clips = open_pa_set(made, ["temporal"])
    flow = [path.stem for path in sorted(tmp_path.glob("flow-*/flow/*.npy"))]
    assert flow == pseudo.clips("temporal")
    monkeypatch.setattr("pagen.generate.pa_set.flow_folder", None)  # a worker must not ask for it again
    after = next(iter(DataLoader(torch.utils.data.Subset(clips, [3]), batch_size=None, num_workers=1)))
    for one, other in zip(before[:3], after[:3], strict=True):
        np.testing.assert_array_equal(one, other)


def test_spatial_and_temporal_can_be_cut_to_shorter_clips_within_a_segment(made: Path) -> None:
    short = open_pa_set(made, ["spatial", "temporal"], length=10)
    assert short[0][0].shape[1] == short[0][2].shape[1] == 10
    starts = [item.start for item in short.items if (item.kind, item.clip) == ("spatial", "train_a")]
    assert starts == [*range(7), *range(16, 23)]  # 40 frames: two segments, and one that is too short
    for kind in ("skip", "patch"):
        with pytest.raises(PagenError, match=rf"expected {kind} .* of 8 frames in .* found clips of 16; .* --length 8"):
            open_pa_set(made, [kind], length=8)
    for kind in ("spatial", "temporal"):
        with pytest.raises(PagenError, match=rf"expected {kind} .* of 17 frames and more in .* --length 17"):
            open_pa_set(made, [kind], length=17)


def test_segments_are_as_long_as_the_clips_that_a_set_is_made_for(ask: Ask, tmp_path: Path) -> None:
    generate(ask(tmp_path / "pa", kinds=("spatial", "temporal"), length=24, limit_clips=1, inpainter="telea"))
    pseudo = open_pa_folder(tmp_path / "pa")
    for kind in pseudo.kinds:
        assert [record["frames"] for record in pseudo.records(kind, "train_a")] == [24, 16 - (kind == "temporal")]
        assert [item.start for item in pseudo.items(kind, 24)] == [0]


def test_mixed_flow_is_that_of_grey_frames_in_colour_too(ask: Ask, street: Path, tmp_path: Path) -> None:
    kinds = ("spatial", "temporal")
    for colour in (False, True):
        out = tmp_path / f"pa-{colour}"
        generate(ask(out, kinds=kinds, colour=colour, limit_clips=1, inpainter="telea", masks="random"))
    grey, coloured = (open_pa_folder(tmp_path / f"pa-{colour}") for colour in (False, True))
    clean = prepare("folder", street, grey.prepared.size, workers=0)
    assert coloured.prepared.channels == 3
    np.testing.assert_array_equal(coloured.flow.flow("train_a"), grey.flow.flow("train_a"))
    items = coloured.items("temporal", 16)
    for item in items:
        for one, other in zip(*(pseudo.render(item, 16).pseudo for pseudo in (grey, coloured)), strict=True):
            np.testing.assert_array_equal(one, other)
    assert open_pa_folder(tmp_path / "pa-True", clean).items("temporal", 16) == items


def test_a_kind_that_it_does_not_hold(made: Path, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"no kind named 'spacial'; did you mean 'spatial'"):
        open_pa_set(made, ["skip", "spacial"])
    with pytest.raises(PagenError, match=r"found no manifest\.json there"):
        open_pa_set(tmp_path)


@pytest.mark.parametrize("file", ["spatial/train_a.npy", "temporal_mask/train_b.npy", "patch/train_c.jsonl"])
def test_damage_is_found_on_opening(made: Path, tmp_path: Path, file: str) -> None:
    copy = open_changed(made, tmp_path)
    content = bytearray((copy / file).read_bytes())
    content[-2] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(PagenError, match=f"damaged file .*{file}"):
        open_pa_set(copy)
    (copy / file).unlink()
    with pytest.raises(PagenError, match=f"missing file .*{file}"):
        open_pa_set(copy)


def test_clips_that_are_gone_or_others(made: Path, prepared: Prepared, street: Path, tmp_path: Path) -> None:
    gone = open_changed(made, tmp_path, prepared=str(tmp_path / "gone"))
    with pytest.raises(PagenError, match=r"cannot read the clips that .* was made of .*gone"):
        open_pa_set(gone)
    shutil.copytree(prepared.path, tmp_path / "gone")
    assert open_pa_folder(gone).fingerprint() == open_pa_folder(made).fingerprint()
    (tmp_path / "gone/clips/train_b.npy").unlink()
    with pytest.raises(PagenError, match=r"cannot read the clips that .* was made of .missing file .*train_b"):
        open_pa_set(gone)
    shutil.rmtree(tmp_path / "gone")
    other = prepare("folder", street, (24, 32), out=tmp_path / "gone", workers=0)
    for path, clips in ((gone, None), (made, other)):
        with pytest.raises(PagenError, match=r"expected a PA set of folder at 24x32 grey in .*, found .* 48x64 grey"):
            open_pa_folder(path, clips)
    assert open_pa_folder(gone, prepared).prepared is prepared


def test_records_say_how_each_segment_was_made(pseudo: PASet) -> None:
    for kind, extra in (("spatial", set[str]()), ("temporal", {"lambda", "place"})):
        for name in pseudo.clips(kind):
            records = pseudo.records(kind, name)
            ends = [record["start"] + record["frames"] for record in records]
            assert [record["start"] for record in records] == [0, *ends[:-1]]
            assert ends[-1] == pseudo.prepared.length(name) - (kind == "temporal")
            assert extra <= records[0].keys()
            for record in records:
                clip = pseudo.render(Item(kind, name, record["start"], {}), record["frames"])
                changed = (clip.pseudo != clip.target).any(axis=3 if kind == "spatial" else 1)
                assert clip.mask is not None
                assert record["coverage"] == round(float(clip.mask.mean()), 6)
                assert record["changed"] == round(float(changed.mean()), 6)
                assert 0 < record["changed"] <= record["coverage"] <= 0.5
                assert 0 <= record["random_instead"] <= record["frames"]
