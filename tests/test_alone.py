"""What several commands cannot write at once: the second says in one line that the first is writing there."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import tyro

from pagen import ablation, cli
from pagen.ablate import Ablate
from pagen.convert import AE, run
from pagen.errors import PagenError
from pagen.folders import Folder, tree_hash
from pagen.footage.street import scene as street
from pagen.locks import alone
from pagen.papers.all_papers import ABLATIONS

pytestmark = pytest.mark.slow
WRITER = ".tmp-writer"
COMMON = "--scale tiny --workers 0 --device cpu --dataset street"
ALONE = {
    "train": {
        "baseline": ("RUN", f"train baseline {COMMON} --steps 1 --epochs 1 --out RUN"),
        "knn": ("RUN", f"train knn {COMMON} --features velocity --out RUN"),
        "objects": ("RUN", f"train gmm {COMMON} --kinds velocity --out RUN"),
        "overwritten": ("RUN", f"train knn {COMMON} --features velocity --out RUN --overwrite"),
    },
    "ablate": {
        "a run": ("ab/ABLATED", f"ablate measures {COMMON} --out ab"),
    },
    "score": {
        "a source": ("live", "score there frames --device cpu --out live"),
    },
}
"""Verb -> cases: the folder that one command at a time writes to, and the words of the command."""
SHARED = {"prepare", "features", "generate", "evaluate", "transfer"}
"""Verbs that fill folders of items, as `test_locks` has them; runs are read by them."""
ONE_FILE = {"report", "figure", "export", "calibrate"}
"""Verbs whose files appear whole, the last command's: the same bytes, where the commands are the same."""
OTHERS = {"datasets", "inspect", "doctor", "demo", "convert"}
"""What writes nothing, through other verbs, or into a folder that must not be there."""
HOLDING = """
import sys, time
from pathlib import Path
from pagen.locks import alone
with alone(Path(sys.argv[1])):
    print(flush=True)
    time.sleep(60)
"""


def test_of_every_verb_it_is_known_how_it_shares() -> None:
    groups = [set(ALONE), SHARED, ONE_FILE, OTHERS]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert set().union(*groups) == set(cli.VERBS)


def test_of_a_killed_one_nothing_is_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-P", "-c", HOLDING, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        Folder.begin(path, "run", {}, {})  # whose sweep leaves a living one alone
        with pytest.raises(PagenError, match="expected no other command there, found one that is"), alone(path):
            raise AssertionError
        os.kill(holder.pid, signal.SIGKILL)
    assert (path / WRITER).exists()
    with alone(path):
        assert (path / WRITER).exists()
    assert [file.name for file in path.iterdir()] == ["manifest.json"]


def test_a_folder_that_nothing_was_written_to_goes(tmp_path: Path) -> None:
    with alone(tmp_path / "a/b"), pytest.raises(PagenError):
        Folder.open(tmp_path / "a/b", "run")
    assert list((tmp_path / "a").iterdir()) == []


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_folder: Callable[..., Path]) -> Path:
    """A folder to work in, with a cache of its own, and a threshold for a camera."""
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(street, "scenes", partial(street.scenes, train=2, test=1, frames=32))
    monkeypatch.chdir(tmp_path)
    (write_folder(tmp_path / "footage", {"training/a": 20}) / "training/a").rename(tmp_path / "frames")
    about = "--normal frames --fps 10 --false-alarms-per-hour 1 --device cpu --out there"
    cli.main(["calibrate", "flow_speed", *about.split()])
    return tmp_path


def ablated(words: list[str]) -> str:
    """The run of the first line of a table."""
    config = tyro.cli(Ablate, args=words[1:])
    return f"{ablation.named(config, ABLATIONS[config.table].variants[0])}-0"


@pytest.mark.parametrize(
    ("place", "line"), [case for cases in ALONE.values() for case in cases.values()], ids=lambda text: text
)
def test_the_second_command_is_refused_in_one_line(
    place: str, line: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(line)
    path = here / (place.replace("ABLATED", ablated(words)) if "ABLATED" in place else place)
    capsys.readouterr()
    with alone(path):
        before = tree_hash(path)
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 2
        assert tree_hash(path) == before
    told = [told for told in capsys.readouterr().err.splitlines() if told.startswith("pagen: ")]
    assert len(told) == 1
    assert told[0].startswith("pagen: expected no other command there, found one that is writing to ")
    if words[0] != "ablate":  # which takes long
        cli.main(words)
    assert not list(here.rglob(WRITER))


class Written(AE):
    """A conversion during which another one writes the same folder."""

    def write(self, folder: Path) -> None:
        assert [path.name for path in self.out.parent.iterdir()] == [folder.name]
        (folder / "config.json").write_text("{}")
        if self.checkpoint.name == "first":
            run(Written(Path("second"), self.out))


def test_of_conversions_at_once_one_is_told_and_what_killed_ones_left_goes(tmp_path: Path) -> None:
    (tmp_path / ".tmp-1-out").mkdir()
    run(Written(Path("alone"), tmp_path / "out"))
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "config.json"]
