"""Items on a Ray cluster: the same bytes, also when one of its two nodes is killed half way."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pagen import spread as spreading
from pagen.errors import PagenError
from pagen.folders import Folder, atomic, digests, tree_hash, write_text
from pagen.footage.street import scene as street
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.spread import spread
from pagen.spread_ray import Cluster, quiet_ray

pytestmark = pytest.mark.slow

# Functions that go to Ray stand inside tests: it then sends their code, as its workers cannot import this file.


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A head with one core, which soon sees that another node is lost."""
    quiet_ray({})
    from ray.cluster_utils import Cluster as Nodes

    soon = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": soon}
    nodes = Nodes(initialize_head=True, head_node_args=head)
    yield nodes
    nodes.shutdown()


def wait_for(sign: Path) -> None:
    """Until there is such a file, for two minutes at most."""
    for _ in range(6000):
        if sign.exists():
            return
        time.sleep(0.02)
    raise TimeoutError(f"there never was {sign.name}")


def kill_when(sign: Path, node: Any) -> None:
    """Kill -9 the node's raylet as soon as there is such a file; its workers end with it."""
    wait_for(sign)
    raylet = node.all_processes["raylet"][0].process
    raylet.kill()
    raylet.wait()


def test_items_run_on_a_cluster(
    nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def work(item: int) -> tuple[int, str, int]:
        import cv2

        if item == 3 and not Path("tried").exists():
            Path("tried").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item**3, os.getcwd(), cv2.getNumThreads()

    done = dict(spread(work, range(8), Cluster(nodes.address)))
    assert done == {item: (item**3, str(tmp_path / "here"), 1) for item in range(8)}
    assert (tmp_path / "here/tried").exists()
    assert capfd.readouterr() == ("", "")
    assert not quiet_ray({}).is_initialized()


def test_few_at_once_and_the_error_of_an_item_arrives(nodes: Any) -> None:
    def work(item: int) -> int:
        if item == 5:
            raise PagenError("expected anything but 5")
        return item

    asked: list[int] = []

    class Items(list[int]):
        def __iter__(self) -> Iterator[int]:
            for item in super().__iter__():
                asked.append(item)
                yield item

    done = spread(work, Items(range(1000)), Cluster(nodes.address, workers=2))
    next(done)
    assert len(asked) == 2
    with pytest.raises(PagenError, match=r"^expected anything but 5$"):
        list(done)
    assert len(asked) < 10
    assert not quiet_ray({}).is_initialized()


def test_ctrl_c_stops_the_work(nodes: Any, tmp_path: Path) -> None:
    beats = tmp_path / "beats"

    def beat(item: int) -> None:
        for _ in range(3000):
            with open(beats, "a") as file:
                file.write(".")
            time.sleep(0.02)

    def interrupt() -> None:
        wait_for(beats)
        os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            list(spread(beat, range(3), Cluster(nodes.address)))
    time.sleep(0.5)
    heard = beats.stat().st_size
    time.sleep(0.3)
    assert beats.stat().st_size == heard < 3000
    assert not quiet_ray({}).is_initialized()


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Makes a PA set of a small street out of an empty cache."""
    monkeypatch.setattr(street, "scenes", partial(street.scenes, train=3, test=1, frames=20))
    for target in ("pagen.generate.pa_folder.gallery", "pagen.generate.pa_folder.gallery_html"):
        monkeypatch.setattr(target, lambda pseudo, path: write_text(path, "".join(pseudo.kinds)))

    def made(name: str, **changes: Any) -> Path:
        monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / f"{name} cache"))
        out = tmp_path / name
        generate(Generate("street", size=(48, 64), length=8, inpainter="telea", device="cpu", out=out, **changes))
        return out

    return made


def test_same_bytes_when_a_node_is_killed(
    nodes: Any, make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = nodes.add_node(num_cpus=1)
    lost, ran = second.node_id, tmp_path / "ran"
    ran.mkdir()

    def observed(function: Any, items: Any, workers: Any) -> Iterator[Any]:
        """Notes who makes which clip; the third one that begins on the second node stops half written.

        The head waits for that: it may be so far ahead that it would leave the second node less than three.
        """

        def work(item: Any) -> Any:
            import ray

            job, _ = item[1]
            here = ray.get_runtime_context().get_node_id()
            (ran / f"{job.kind} {job.name} {here}").touch()
            if here == lost and len(list(ran.glob(f"* {lost}"))) == 3:
                with atomic(job.path / job.kind / f"{job.name}.npy"):
                    (ran / "half").touch()
                    time.sleep(600)
            deadline = time.monotonic() + 120
            while here != lost and not (ran / "half").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            return function(item)

        if not (items and hasattr(items[0][1][0], "kind")):  # clips that are prepared, not made pseudo-anomalous
            yield from unobserved(function, items, workers)
            return
        with ThreadPoolExecutor(1) as threads:
            killing = threads.submit(kill_when, ran / "half", second)
            yield from unobserved(work, items, workers)
            killing.result()

    unobserved = spreading.spread
    local = make("local", workers=0)
    monkeypatch.setattr("pagen.fill.spread", observed)
    spread_out = make("spread", engine="ray", address=nodes.address)

    clips = [tuple(mark.name.split()[:2]) for mark in ran.glob("* * *")]
    again = {clip for clip in clips if clips.count(clip) == 2}
    assert len(set(clips)) == 12
    assert len(list(ran.glob(f"* {lost}"))) == 3
    assert len(again) == 1
    assert tree_hash(spread_out) == tree_hash(local)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        (Cluster("127.0.0.1:9"), r"expected a Ray cluster at 127\.0\.0\.1:9, found nobody there"),
        (Cluster("somewhere"), "expected --address HOST:PORT of a Ray cluster's head, found 'somewhere'"),
        (Cluster("somewhere:99999999"), "found nobody there"),
        (Cluster(workers=0), "expected --workers of 1 and more on Ray, found 0"),
    ],
)
def test_what_cannot_be_is_refused(cluster: Cluster, message: str) -> None:
    with pytest.raises(PagenError, match=message):
        list(spread(abs, [1], cluster))


def test_an_address_wants_ray() -> None:
    with pytest.raises(PagenError, match="expected --engine ray with --address, found --engine local"):
        Generate("street", address="head:6379")


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PagenError, match=r"pip install 'pagen\[ray\]'"):
        list(spread(abs, [1], Cluster()))


def test_two_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "clip.txt"
    with atomic(path) as one:
        with atomic(path) as other:
            one.write_text("same")
            other.write_text("same")
        assert path.read_text() == "same"
    assert [child.name for child in tmp_path.iterdir()] == ["clip.txt"]


def test_what_a_lost_worker_left_is_swept_at_the_end(tmp_path: Path) -> None:
    folder = Folder.begin(tmp_path, "pa_set", {}, {})
    write_text(tmp_path / "skip/a.jsonl", "{}")
    (tmp_path / "skip/.tmp-12ab34cd-a.jsonl").write_text("{")
    folder.record("skip/a", digests(tmp_path, [tmp_path / "skip/a.jsonl"]))
    folder.finish()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.jsonl", "manifest.json", "skip"]
