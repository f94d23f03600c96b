"""Claim: a change of the code's structure changes no byte of what pagen writes.

    python benchmarks/same_bytes.py make TREE OUT [--ped2 DIR]
    python benchmarks/same_bytes.py compare OLD NEW

`make` lets the package `pagen` in the folder TREE (of a checkout: build/typed, see `make types`) write artefacts of
every room below OUT, by the command line alone. PAGEN_CACHE is OUT/cache, and what pagen is given lies in OUT/given. A
step that is done is passed over. `--ped2` adds two training and two test clips of UCSD Ped2. `compare` prints a line
for each group of files, then the files that are different or missing, and exits with 1 where there are any. Both sides
have to be made on one machine, with the same libraries.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
STREET = """
datasets       | datasets check street
native         | prepare @ --size native
given          |
plain          | generate --limit-clips 2 --inference-steps 4 --matched
colour         | generate --colour --inpainter telea --masks random:medium_256 --region rectangle --lambda-per frame
                 --place-per frame --lambda-max 0.9 --strides 2 3 --patch smoothmix_c --intruders clips --vary
tvl1           | generate --dataset folder --root given/short --kinds temporal --flow tvl1
frame          | generate --limit-clips 1 --kinds spatial temporal patch --masks motion:frame --inpainter telea
                 --patch mixup --intruders folder:pa/plain
union          | generate --limit-clips 1 --kinds spatial patch --masks motion:union --inpainter telea --patch cutmix
                 --max-size 0.3
file           | generate --limit-clips 1 --kinds spatial temporal --masks file:given/masks --flow file:given/flow
                 --inpainter telea
inspect        | inspect pa/plain
baseline       | train baseline
baseline-best  | train baseline --validate pseudo --keep best --ema 0.9 --accumulate 2 --max-norm 1
memae          | train memae
skip           | train skip
skip-mixed     | train skip --kinds skip patch spatial --shares 2 1 1 --probability 0.5 --pseudo pa/plain
patch          | train patch --intruders clips --patch cutmix --validate pseudo
steal          | train steal --pseudo pa/plain --probability 0.3
spatial        | train spatial --colour --kinds spatial patch --pseudo pa/colour
temporal       | train temporal --colour --encoding rgb --pseudo pa/colour --validate pseudo
discriminator  | train discriminator --pool mean --matched --pseudo pa/plain
unified        | train unified --pseudo pa/plain
luss           | train luss
mulde          | train mulde --side 32
mulde-tube     | train mulde --features tube:runs/baseline --boxes file:given/boxes.json --reduce median
msma           | train msma --features latents:runs/luss
msma-density   | train msma --features latents:runs/memae --gradient density --norm squared --reduce max
knn            | train knn --features locations:runs/baseline --k 3
gmm            | train gmm --features latents:runs/unified/temporal
accivad        | train accivad --boxes file:given/objects.npz --side 32
gcl            | train gcl --dataset street:mixed --features latents:runs/baseline --pool 1 --variant WS
                 --targets gaussian
velocity       | features velocity @ --boxes file:given/boxes.json --bins 1 --by-height --out features/velocity
protocols      | evaluate runs/baseline runs/memae runs/unified runs/luss runs/mulde runs/accivad runs/gcl @
                 --protocol all
uniform        | evaluate runs/baseline-best runs/skip runs/skip-mixed runs/patch runs/steal runs/spatial runs/temporal
                 runs/discriminator runs/mulde-tube runs/msma runs/msma-density runs/knn runs/gmm @ --weights uniform
pseudo         | evaluate runs/luss runs/unified @ --weights pseudo --protocol given/mean.json
oracle         | evaluate runs/luss runs/unified @ --weights oracle --protocol luss
localise       | evaluate runs/unified runs/mulde runs/knn @ --localise
scores         | evaluate --scores given/scores.npz given/other.npz --labels given/labels.npz --fps 10 --protocol all
localise-boxes | evaluate --detections given/detections --tracks given/tracks --labels given/labels.npz
transfer       | transfer runs/luss runs/gcl --datasets street street:square --calibrate target
luss-report    | report runs/luss @ --pseudo pa/plain
accivad-report | report runs/accivad @ --protocol accivad
flow_speed     | calibrate flow_speed --out camera/flow_speed
flow_speed-on  | score camera/flow_speed given/test.y4m
luss-camera    | calibrate runs/luss --out camera/luss
luss-on        | score camera/luss given/test.y4m
mulde-camera   | calibrate runs/mulde
mulde-on       | score runs/mulde given/test.y4m
"""
PED2 = """
given-ped2     |
native-ped2    | prepare @ --size native --colour
plain-ped2     | generate --limit-clips 1 --inference-steps 4 --noise frame --feather 2
luss-ped2      | train luss --prp published --crop 0 --ffp released --strides 2 3 --validate pseudo --steps 4
                 --size 64 80
unified-ped2   | train unified --pseudo pa/plain-ped2
mulde-ped2     | train mulde --side 32
accivad-ped2   | train accivad --boxes file:given/objects-ped2.npz --side 32 --raw-poses
gcl-ped2       | train gcl --dataset folder:mixed --root given/ped2
lite0-ped2     | features lite0 @ --size 48 64 --split test --pool 4
pose-ped2      | features pose @ --boxes file:given/objects-ped2.npz --out features/pose-ped2
protocols-ped2 | evaluate runs/unified-ped2 runs/mulde-ped2 @ --protocol causal lntra
localise-ped2  | evaluate runs/luss-ped2 runs/accivad-ped2 @ --localise
"""
"""Name of the step | words of its command, `@` for the data set; without words, what `give` or `give_ped2` writes."""
ADDED = {
    "train": "--scale tiny --size 48 64 --out runs/{name} @",
    "generate": "--size 48 64 --out pa/{name} @",
    "report": "--out reports/{name}.html",
    "calibrate": "--normal given/train_01.y4m given/train_02.y4m --false-alarms-per-hour 300",
}
"""Words that every command of a verb has."""
MEMBERS = ("spatial", "temporal", "discriminator")
MADE = ("cache", "pa", "runs", "features", "reports", "camera", "tables")
TEXTS = (".json", ".jsonl", ".csv", ".html")
COMPARED = (".npy", ".npz", ".safetensors", ".png", *TEXTS)
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""Sums depend on their number."""
LEFT_OUT = ("manifest.json", "environment.json")
GROUPS = (
    (r".*#text", "text of pages"),
    (r"cache/features|features/", "features"),
    (r"cache/flow", "flow"),
    (r"cache/baselines", "scores, trivial baselines"),
    (r"cache/", "prepared clips"),
    (r"pa/", "PA sets"),
    (r"camera/|runs/.*/live/|.*/alarms.json", "camera"),
    (r"runs/.*/scores/.*/maps/|tables/localise", "localisation"),
    (r"runs/.*/scores/[^/]+/([^/]+)/", r"scores, \1"),
    (r"runs/([a-z]+)", r"run, \1"),
    (r"reports/", "report data"),
    (r"tables/", "tables as --json"),
)
"""Where a file lies below OUT -> the group that it is counted in; the first that fits."""
VARYING = re.compile(r'(pagen\W+)\d+\.\d+\.\d+|"frames_per_second": [\d.]+|(?<=")/[^"]*?/(?=cache/|runs/)')
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1", "BOOL": "|b1"}
"""Of safetensors -> of numpy."""


def main() -> None:
    """`make`, `compare`, or the usage: `make bench` runs every benchmark without arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb")
    making, comparing = verbs.add_parser("make"), verbs.add_parser("compare")
    for verb, name in ((making, "tree"), (making, "out"), (making, "--ped2"), (comparing, "old"), (comparing, "new")):
        verb.add_argument(name, type=lambda text: Path(text).absolute())
    asked = parser.parse_args()
    if asked.verb == "make":
        make(asked.tree, asked.out, asked.ped2)
    elif asked.verb == "compare":
        sys.exit(compare(asked.old, asked.new))
    else:
        parser.print_help()


def make(tree: Path, out: Path, ped2: Path | None) -> None:
    """Do the steps that have not been done."""
    for folder in ("done", "logs", "tables", "given"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(tree), "PAGEN_CACHE": str(out / "cache"), "PYTHONHASHSEED": "0"}
    environment |= dict.fromkeys(THREADS, "1") | {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    require_tree(tree, environment)
    steps = list(steps_of(STREET, "--dataset street"))
    steps += list(steps_of(PED2, "--dataset folder --root given/ped2")) if ped2 else []
    for name, words in steps:
        if (out / "done" / name).exists():
            continue
        before = os.times()
        if words:
            run_pagen(name, words, out, environment)
        elif ped2 and name == "given-ped2":
            give_ped2(out / "given", ped2)
        else:
            give(out / "given", next((out / "cache").glob("street-native-grey-*")))
        _, _, *used, clock = (now - then for now, then in zip(os.times(), before, strict=True))
        print(f"{name:<16}{clock:6.1f} s, {sum(used):6.1f} s of processors", flush=True)
        (out / "done" / name).touch()


def require_tree(tree: Path, environment: dict[str, str]) -> None:
    """End where another pagen than the tree's would be found, be it a part of it: an editable installation's."""
    names = ("pagen", "pagen.models", "pagen.train", "pagen.eval")
    code = f"import importlib.util as i; print(*[s.origin for n in {names} if (s := i.find_spec(n))], sep='\\n')"
    found = subprocess.check_output([sys.executable, "-P", "-c", code], env=environment, text=True, cwd="/").split()
    strange = [path for path in found if not Path(path).is_relative_to(tree)]
    if strange or not found:
        sys.exit(f"expected the package pagen in {tree}, found {' '.join(strange) or 'none'}")


def steps_of(table: str, footage: str) -> Iterator[tuple[str, list[str]]]:
    """Names and words of the steps of a table."""
    for line in re.sub(r"\n +", " ", table).strip().splitlines():
        name, words = (part.strip() for part in line.split("|"))
        added = ADDED.get(words.partition(" ")[0], "").format(name=name)
        if words.startswith("train unified"):
            added = added.replace("--size 48 64", " ".join(f"--{member}.size 48 64" for member in MEMBERS))
        added = added.replace("@", "" if "--dataset" in words else "@")
        added = added.replace("--size 48 64", "" if "--size" in words else "--size 48 64")
        yield name, f"{words} {added} --json".replace("@", footage).split() if words else []


def run_pagen(name: str, words: list[str], out: Path, environment: dict[str, str]) -> None:
    """One command; what it prints is kept as a table."""
    command = [sys.executable, "-P", "-m", "pagen", *words]
    done = subprocess.run(command, cwd=out, env=environment, capture_output=True)
    (out / "logs" / name).write_bytes(done.stderr)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    (out / "tables" / f"{name}.json").write_bytes(done.stdout)


def give(given: Path, native: Path) -> None:
    """What the steps on the street are given, made of its prepared clips and of random numbers."""
    clips = {path.stem: np.load(path) for path in sorted((native / "clips").iterdir())}
    count, height, width, _ = clips["train_01"].shape
    rng = np.random.default_rng(0)
    for folder in ("masks", "flow", "detections", "tracks", "short/training"):
        (given / folder).mkdir(parents=True, exist_ok=True)
    recordings = {f"{name}.y4m": clips[name] for name in ("train_01", "train_02")}
    recordings["test.y4m"] = np.concatenate([clips["test_02"], clips["test_03"]])
    recordings["short/training/01.avi"] = clips["train_01"][:18]
    for name, frames in recordings.items():
        parts = (b"FRAME\n" + frame.tobytes() for frame in frames)
        (given / name).write_bytes(b"".join([f"YUV4MPEG2 W{width} H{height} F10:1 Cmono\n".encode(), *parts]))
    np.save(given / "masks/train_01.npy", rng.random((count, 3, 4)).repeat(16, 1).repeat(16, 2) > 0.8)
    np.save(given / "flow/train_01.npy", rng.normal(size=(count - 1, 2, 48, 64)).astype(np.float32))
    (given / "mean.json").write_text('{"policy": "mean", "each": "quantile", "smooth": "causal", "sigma": {"*": 3}}')
    give_objects(given, list(clips), count, rng)
    give_scores(given, rng)


def give_objects(given: Path, clips: list[str], count: int, rng: np.random.Generator) -> None:
    """A box and a pose in every frame, as .npz; a box in every third, as .json."""
    objects, rows = dict[str, Any](), dict[str, list[list[float]]]()
    for split, short in (("training", "train_"), ("testing", "test_")):
        names = [name for name in clips if name.startswith(short)]
        low, size = (rng.uniform(*ends, (len(names) * count, 2)) for ends in ((0, 80), (10, 40)))
        boxes = np.concatenate([low, low + size], axis=1).astype(np.float32)
        offsets = np.arange(len(boxes) + 1)
        objects |= {f"{split}_boxes": boxes, f"{split}_box_offsets": offsets, f"{split}_pose_offsets": offsets}
        objects[f"{split}_poses"] = rng.uniform(0, 40, (len(boxes), 34)).astype(np.float32)
        objects[f"{split}_clips"] = np.array([name.removeprefix(short) for name in names])
        objects[f"{split}_clip_frames"] = np.full(len(names), count)
        for name, each in zip(names, boxes.reshape(-1, count, 4), strict=True):
            rows[name] = [[frame, *each[frame].tolist()] for frame in range(0, count, 3)]
    np.savez(given / "objects.npz", **objects)
    (given / "boxes.json").write_text(json.dumps(rows))


def give_scores(given: Path, rng: np.random.Generator) -> None:
    """Labels of two videos, and what two programs say of them: scores, boxes."""
    labels = {name: (np.arange(100) // 20 % 2).astype(np.uint8) for name in ("a", "b")}
    for file, shift in (("scores", 1.0), ("other", 0.3)):
        scores: dict[str, Any] = {name: shift * label + rng.normal(size=100) for name, label in labels.items()}
        np.savez(given / f"{file}.npz", **scores)
    np.savez(given / "labels.npz", a=labels["a"], b=labels["b"])
    for name, label in labels.items():
        places = [f"{frame},{30 + frame % 7},20,50,60" for frame in np.flatnonzero(label)]
        (given / f"tracks/{name}.txt").write_text("\n".join(f"{i // 20},{place}" for i, place in enumerate(places)))
        found = [f"{place},{rng.random():.6f}" for place in [*places, "5,90,20,99,60"]]
        (given / f"detections/{name}.txt").write_text("\n".join(found))


def give_ped2(given: Path, ped2: Path) -> None:
    """The first two clips of each split in the layout `folder`, masks and labels too; and the objects beside `ped2`."""
    ranges = re.findall(r"\[(\d+):(\d+)\]", (ped2 / "UCSDped2.m").read_text())
    for number in ("01", "02"):
        for here, there in (("training", "training/frames"), ("testing", "testing/frames"), ("masks", "testing/masks")):
            (given / "ped2" / here).mkdir(parents=True, exist_ok=True)
            (given / "ped2" / here / number).symlink_to(ped2 / there / number)
    lines = [f"0{number},{int(first) - 1},{last}" for number, (first, last) in enumerate(ranges[:2], 1)]
    (given / "ped2/labels.csv").write_text("\n".join(["video,start_frame,end_frame", *lines]))
    (given / "objects-ped2.npz").symlink_to(ped2.parent / "ped2_objects.npz")


def compare(old: Path, new: Path) -> int:
    """A line for each group of files; 1 where any differs or is missing on one side, or there are none."""
    sides = [payload(old), payload(new)]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    worst: dict[str, float] = defaultdict(float)
    odd: list[str] = []
    for name in sorted({*sides[0], *sides[1]}):
        group = next(match.expand(title) for where, title in GROUPS if (match := re.match(where, name)))
        if name not in sides[0] or name not in sides[1]:
            verdict = "missing"
        elif content(old, name) == content(new, name):
            verdict = "equal"
        else:
            verdict = "different"
            gap = difference(numbers(old / name.partition("#")[0]), numbers(new / name.partition("#")[0]))
            worst[group] = max(worst[group], gap)
        counts[group][verdict] += 1
        odd += [f"{verdict}: {name}"] * (verdict != "equal")
    for group, found in sorted(counts.items()):
        told = ", ".join(f"{found[verdict]} {verdict}" for verdict in ("equal", "different", "missing"))
        print(f"{group:<26} {told}" + (f", by {worst[group]:.3g} at most" if group in worst else ""))
    print(*odd, sep="\n", end="\n" if odd else "")
    return int(bool(odd or not counts))


def payload(root: Path) -> set[str]:
    """The files below a folder that are compared, as seen from it; the text of a page has a name of its own."""
    files = (path for part in MADE for path in (root / part).rglob("*") if path.suffix in COMPARED)
    names = {path.relative_to(root).as_posix() for path in files if path.name not in LEFT_OUT}
    return names | {f"{name}#text" for name in names if name.endswith(".html")}


def content(root: Path, name: str) -> bytes:
    """What has to be equal: all bytes; of text all but where OUT lies, pagen's version and how fast it was.

    Of pages the data of the script and the pictures, and the text apart.
    """
    file, _, part = name.partition("#")
    path = root / file
    raw = path.read_bytes()
    if path.suffix not in TEXTS:
        return raw
    text = raw.decode()
    if part:
        text = re.sub(r"(?s)<(style|script).*?</\1>|<[^>]+>", " ", text)
    elif path.suffix == ".html":
        text = "\n".join(re.findall(r"const data = .*|data:image[^\"')]*", text))
    return VARYING.sub(r"\1", text).encode()


def difference(old: Arrays, new: Arrays) -> float:
    """The largest difference between the numbers of two files; infinite where there are not as many."""
    if [(key, each.shape) for key, each in old.items()] != [(key, each.shape) for key, each in new.items()]:
        return float("inf")
    gaps = (np.nan_to_num(old[key].astype(float)) - np.nan_to_num(new[key].astype(float)) for key in old)
    return max((float(np.abs(gap).max(initial=0)) for gap in gaps), default=0.0)


def numbers(path: Path) -> Arrays:
    """The numbers of a file: its arrays, or those in its text."""
    if path.suffix == ".npy":
        return {"": np.load(path)}
    if path.suffix == ".npz":
        return dict(np.load(path))
    if path.suffix == ".safetensors":
        raw = path.read_bytes()
        start = 8 + int.from_bytes(raw[:8], "little")
        heads = {name: head for name, head in json.loads(raw[8:start]).items() if name != "__metadata__"}
        spans = {name: slice(*(start + end for end in head["data_offsets"])) for name, head in heads.items()}
        return {name: np.frombuffer(raw[spans[name]], DTYPES[head["dtype"]]) for name, head in heads.items()}
    return {"": np.array(NUMBER.findall(path.read_text()) if path.suffix in TEXTS else [], float)}


if __name__ == "__main__":
    main()
