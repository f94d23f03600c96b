"""Where intruders come from, how they are varied, and that a PA set shows the same pixels of them again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pagen.errors import PagenError
from pagen.folders import Folder, tree_hash, write_text
from pagen.footage.prepare import Prepared, prepare
from pagen.generate import intruders as module
from pagen.generate import open_pa_set
from pagen.generate.config import Generate
from pagen.generate.frame_flags import PATCH_MASKS
from pagen.generate.generate import generate
from pagen.generate.intruders import INTRUDERS, Clips, ImageFolder, Pictures, fit, open_intruders, vary
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.generate.patch import Patch
from pagen.seeds import generator

Ask = Callable[..., Generate]
Frames = npt.NDArray[np.uint8]


def noise(*shape: int) -> Frames:
    return generator(5, "noise").integers(0, 256, size=shape, dtype=np.uint8)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of a grey and two coloured images of several sizes, and a file that is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name, shape in (("10.png", (30, 20)), ("2.png", (16, 24, 3)), ("1.bmp", (9, 9, 3))):
        Image.fromarray(noise(*shape)).save(folder / name)
    (folder / "read.me").write_text("no image")
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery that costs nothing."""
    monkeypatch.setattr(
        "pagen.generate.pa_folder.gallery", lambda pseudo, path: write_text(path, "".join(pseudo.kinds))
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(path.glob("patch/*.jsonl")) for line in file.read_text().splitlines()]


def rendered(pseudo: PASet) -> list[Frames]:
    """Some of the clips of a set; where the mask is 0 each is bit-equal to what it was made of."""
    clips = [pseudo.render(item, 16) for item in pseudo.items("patch", 16)[::10]]
    for clip in clips:
        assert clip.mask is not None
        np.testing.assert_array_equal(clip.pseudo[clip.mask == 0], clip.target[clip.mask == 0])
        assert (clip.pseudo != clip.target).any()
    return [clip.pseudo for clip in clips]


@pytest.mark.parametrize("name", INTRUDERS)
def test_every_picture_comes_with_the_package(name: str) -> None:
    picture = Pictures().read(name, None, 16)
    grey, colour = fit(picture, (24, 36), 1), fit(picture, (24, 36), 3)
    assert (grey.shape, colour.shape) == ((1, 24, 36, 1), (1, 24, 36, 3))
    assert grey.dtype == colour.dtype == np.uint8
    assert grey.std() > 5


def test_a_picture_is_stretched_over_the_whole_frame() -> None:
    # the clock's picture is 300 x 400: at its own size nothing is left to interpolate
    from skimage.data import clock

    picture = Pictures().read("clock", None, 1)
    np.testing.assert_array_equal(fit(picture, clock().shape, 1)[0, ..., 0], clock())
    half = clock().astype(np.float64).reshape(150, 2, 200, 2).mean(axis=(1, 3))
    assert np.abs(fit(picture, (150, 200), 1)[0, ..., 0] - half).max() <= 1


def test_grey_and_colour_become_one_another() -> None:
    grey, colour = noise(2, 12, 10), noise(2, 12, 10, 3)
    np.testing.assert_array_equal(fit(grey, (12, 10), 3), np.stack([grey] * 3, axis=3))
    luma = colour @ [0.299, 0.587, 0.114]
    assert np.abs(fit(colour, (12, 10), 1)[..., 0] - luma).max() <= 0.51


@pytest.mark.parametrize("channels", [1, 3])
def test_a_variation_is_its_seed(channels: int) -> None:
    picture = noise(1, 40, 30, channels)
    twice = np.concatenate([picture, picture])
    varied = [vary(twice, (24, 36), seed) for seed in range(6)]
    state = np.random.get_state()[1]
    for seed, one in enumerate(varied):
        assert one.shape == (2, 24, 36, channels)
        assert one.dtype == np.uint8
        np.testing.assert_array_equal(one[0], one[1])
        np.testing.assert_array_equal(one, vary(twice, (24, 36), seed))
        np.testing.assert_array_equal(one[:1], fit(picture, (24, 36), channels, seed))
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert len({one.tobytes() for one in varied}) == 6


def test_a_variation_flips_both_ways_and_changes_size_and_light() -> None:
    y, x = np.mgrid[:64, :64]
    ramps = np.stack([2 * x, 2 * y, np.full_like(x, 90)], axis=2).astype(np.uint8)[None]
    varied = [vary(ramps, (64, 64), seed)[0].astype(np.float64) for seed in range(40)]
    across = [np.sign(one[:, -1, 0].mean() - one[:, 0, 0].mean()) for one in varied]
    down = [np.sign(one[-1, :, 1].mean() - one[0, :, 1].mean()) for one in varied]
    assert {(a, d) for a, d in zip(across, down, strict=True)} == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    assert np.std([np.ptp(one[..., 0]) for one in varied]) > 10
    assert np.std([one[..., 2].mean() for one in varied]) > 5


def test_the_environment_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, "0"):
        monkeypatch.delenv("NO_ALBUMENTATIONS_UPDATE", raising=False)
        if value is not None:
            monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", value)
        module._albumentations.cache_clear()
        module._albumentations()
        assert os.environ.get("NO_ALBUMENTATIONS_UPDATE") == value


def test_a_folder_in_natural_order(images: Path, prepared: Prepared) -> None:
    source = open_intruders(f"folder:{images}")(prepared)
    assert source.names("train_a") == ("1.bmp", "2.png", "10.png")
    assert source.draw_start("2.png", 16, generator(0)) is None
    np.testing.assert_array_equal(source.read("10.png", None, 16), noise(30, 20)[None])
    np.testing.assert_array_equal(source.read("2.png", None, 16), noise(16, 24, 3)[None])
    with pytest.raises(PagenError, match=r"no intruder named '3\.png'; did you mean '2\.png'"):
        source.read("3.png", None, 16)


def test_folders_that_cannot_be_used(images: Path, tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PagenError, match=r"expected images \(.jpg .* in .*empty, found none"):
        open_intruders(f"folder:{tmp_path / 'empty'}")
    content = (images / "2.png").read_bytes()
    (images / "2.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(PagenError, match=r"expected an image in .*2\.png, found it cut short or damaged"):
        generate(ask(tmp_path / "pa", kinds=("patch",), intruders=f"folder:{images}"))
    assert not (tmp_path / "pa").exists()


def test_the_fingerprint_knows_names_and_bytes_but_not_the_place(images: Path, tmp_path: Path) -> None:
    def mark(folder: Path) -> str:
        names = tuple(sorted(path.name for path in folder.glob("*.*p*")))
        return ImageFolder(names, directory=folder).origin()[1]

    before = mark(images)
    moved = images.rename(tmp_path / "moved")
    assert mark(moved) == before
    (moved / "1.bmp").rename(moved / "3.bmp")
    assert mark(moved) != before
    (moved / "3.bmp").rename(moved / "1.bmp")
    Image.fromarray(255 - noise(9, 9, 3)).save(moved / "1.bmp")
    assert mark(moved) != before


@pytest.mark.usefixtures("quick")
def test_patches_out_of_a_folder(
    images: Path, ask: Ask, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    generate(ask(tmp_path / "pa", kinds=("patch",), intruders="folder:images"))
    folder = Folder.open(tmp_path / "pa", "pa_set")
    assert (folder.config["intruders"], folder.volatile["intruders"]) == ("folder", str(images))
    assert folder.inputs.keys() == {"prepared", "intruders"}
    assert {line["intruder"] for line in lines(folder.path)} == {"1.bmp", "2.png", "10.png"}
    for line, usual in zip(lines(folder.path), lines(made), strict=True):
        assert line.keys() == usual.keys()
    before = rendered(open_pa_folder(tmp_path / "pa"))
    images.rename(tmp_path / "elsewhere")
    with pytest.raises(PagenError, match=r"expected intruders 'folder:DIR' .* found 'folder:.*images'"):
        open_pa_set(tmp_path / "pa")
    first = tree_hash(tmp_path / "pa")
    generate(ask(tmp_path / "pa", kinds=("patch",), intruders=f"folder:{tmp_path / 'elsewhere'}"))
    assert tree_hash(tmp_path / "pa") == first
    for one, other in zip(before, rendered(open_pa_folder(tmp_path / "pa")), strict=True):
        np.testing.assert_array_equal(one, other)
    Image.fromarray(noise(9, 9)).save(tmp_path / "elsewhere/1.bmp")
    with pytest.raises(PagenError, match=r"expected the images in .*elsewhere that patches of .*pa were made of"):
        open_pa_set(tmp_path / "pa")


@pytest.mark.usefixtures("quick")
def test_patches_out_of_clips(ask: Ask, prepared: Prepared, tmp_path: Path) -> None:
    generate(ask(tmp_path / "pa", kinds=("patch",), intruders="clips", patch="cutmix", max_move=0))
    pseudo = open_pa_folder(tmp_path / "pa")
    assert pseudo.folder.inputs == {"prepared": prepared.fingerprint()}
    drawn = lines(tmp_path / "pa")
    assert {line["intruder"] for line in drawn} == set(prepared.clips("train"))
    for line in drawn:
        assert line["intruder"] != line["clip"]
        assert 0 <= line["intruder_start"] <= max(0, prepared.length(line["intruder"]) - 16)
    assert len({line["intruder_start"] for line in drawn if line["intruder"] == "train_a"}) > 5
    rendered(pseudo)
    for item in pseudo.items("patch", 16)[::7]:
        clip, patch = pseudo.render(item, 16), Patch.from_json(item.parameters)
        other, first = prepared.frames(patch.intruder), patch.intruder_start
        assert first is not None
        seen = PATCH_MASKS["cutmix"](prepared.size, patch.centres[0], patch.size) == 1
        assert seen.any()
        for t in range(16):
            np.testing.assert_array_equal(clip.pseudo[t][seen], other[min(first + t, len(other) - 1)][seen])


def test_a_clip_alone_shows_itself(street: Path, tmp_path: Path) -> None:
    (tmp_path / "footage/training").mkdir(parents=True)
    (tmp_path / "footage/training/a").symlink_to(street / "training/a")
    alone = Clips(prepare("folder", tmp_path / "footage", (48, 64), out=tmp_path / "clips", workers=0))
    assert alone.names("train_a") == ["train_a"]
    starts = {alone.draw_start("train_a", 39, generator(seed)) for seed in range(20)}
    assert starts == {0, 1}
    np.testing.assert_array_equal(alone.read("train_a", 1, 39), alone.prepared.frames("train_a")[1:])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("source", ["pictures", "clips"])
def test_varied_patches(source: str, ask: Ask, tmp_path: Path) -> None:
    plain, varied = tmp_path / "plain", tmp_path / "varied"
    for out in (plain, varied):
        summary = generate(ask(out, kinds=("patch",), intruders=source, vary=out == varied, limit_clips=1))
    assert summary["kinds"]["patch"][2] == f"{source}, varied, smoothmix_s masks"
    records = lines(varied)
    seeds = [line.pop("variation") for line in records]
    assert len(set(seeds)) == len(seeds)
    assert records == lines(plain)
    first, again, without = (rendered(open_pa_folder(out)) for out in (varied, varied, plain))
    for one, other, usual in zip(first, again, without, strict=True):
        np.testing.assert_array_equal(one, other)
        assert (one != usual).any()


def test_a_gallery_of_gaussians_out_of_clips(ask: Ask, tmp_path: Path) -> None:
    generate(ask(tmp_path, kinds=("patch",), patch="smoothmix_c", intruders="clips", limit_clips=1, colour=True))
    assert cv2.imread(str(tmp_path / "gallery.png")) is not None
    assert open_pa_set(tmp_path)[0][0].shape == (3, 16, 48, 64)
