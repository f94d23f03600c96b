from __future__ import annotations

from pathlib import Path

import pytest

from pagen.errors import PagenError
from pagen.footage.labels.labels_csv import names_in_csv, parse_csv, read_csv


def labels(path: Path, key: str, length: int) -> list[int] | None:
    said = read_csv(path, key)
    return None if said is None else said.fit(length).labels.tolist()


def test_csv_tells_labelled_normal_and_unlabelled_videos_apart(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "\ufeffvideo,start_frame,end_frame\nlift,3,5\ndoor.mp4, 0 ,2\nlift,6,7\n\nyard,,\n", encoding="utf-8"
    )
    assert labels(path, "lift", 8) == [0, 0, 0, 1, 1, 0, 1, 0]
    assert labels(path, "door", 3) == [1, 1, 0]
    assert labels(path, "yard", 2) == [0, 0]
    assert labels(path, "roof", 2) is None
    assert names_in_csv(path) == ["lift", "door.mp4", "yard"]
    with pytest.raises(PagenError, match="within the clip's 6"):
        labels(path, "lift", 6)


@pytest.mark.parametrize("text", ["", "name,start,end\n", "lift,3,5\n"])
def test_csv_needs_its_header(text: str) -> None:
    with pytest.raises(PagenError, match="expected the header video,start_frame,end_frame"):
        parse_csv(text)


@pytest.mark.parametrize("row", ["lift,5,5", "lift,5,3", "lift,-1,3", "lift,a,b", "lift,1", "lift,1,2,3", "lift,1.5,2"])
def test_csv_rows_that_are_no_interval_are_refused(row: str) -> None:
    with pytest.raises(PagenError, match="line 2 of"):
        parse_csv(f"video,start_frame,end_frame\n{row}\n")
