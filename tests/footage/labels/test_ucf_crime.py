"""UCF-Crime's intervals in the forms of six copies, and as structures of MATLAB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from pagen.errors import PagenError
from pagen.footage.labels.ucf_crime import names_in_ucf, parse_ucf, read_ucf, read_ucf_mat

TRUTH = {
    "Abuse028_x264": [(165, 240)],
    "Arson011_x264": [(150, 420), (680, 1267)],
    "Normal_Videos_003_x264": [],
}
COPIES = {
    "authors": "  \n".join(
        [
            "Abuse028_x264.mp4  Abuse  165  240  -1  -1",
            "Arson011_x264.mp4  Arson  150  420  680  1267",
            "Normal_Videos_003_x264.mp4  Normal  -1  -1  -1  -1",
            "",
        ]
    ),
    "without extension": "  \n".join(
        [
            "Abuse028_x264  Abuse  165  240  -1  -1",
            "Arson011_x264  Arson  150  420  680  1267",
            "Normal_Videos_003_x264  Normal  -1  -1  -1  -1  ",
        ]
    ),
    "tabs, frames last": """Abuse028_x264.mp4\tAbuse\t165\t240\t-1\t-1\t1412
Arson011_x264.mp4\tArson\t150\t420\t680\t1267\t1266
Normal_Videos_003_x264.mp4\tNormal\t-1\t-1\t-1\t-1\t2820
""",
    "folder, frames before the class": """Abuse/Abuse028_x264.mp4 1412 Abuse 165 240 -1 -1
Arson/Arson011_x264.mp4 1266 Arson 150 420 680 1267
Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4 2820 Normal -1 -1 -1 -1
""",
    "brackets": """Abuse/Abuse028_x264.mp4|1413|[165, 240]
Arson/Arson011_x264.mp4|1267|[150, 420, 680, 1267]
Normal_Videos_event/Normal_Videos_003_x264.mp4 2821 -1
""",
    "no class": """Abuse028_x264 165 240 -1 -1
Arson011_x264 150 420 680 1267
Normal_Videos_003_x264 -1 -1 -1 -1
""",
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_all_copies_say_the_same(tmp_path: Path, copy: str, ending: str) -> None:
    path = tmp_path / "Temporal_Anomaly_Annotation.txt"
    path.write_bytes(COPIES[copy].replace("\n", ending).encode())
    assert parse_ucf(path) == TRUTH
    assert names_in_ucf(path) == list(TRUTH)


def test_names_are_compared_whole_and_editions_count_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(COPIES["authors"])
    assert read_ucf(path, "Normal_Videos003_x264") is None, "a training clip"
    normal, said = read_ucf(path, "Normal_Videos_003_x264"), read_ucf(path, "Abuse028_x264.mp4")
    assert normal is not None
    assert not normal.fit(9).labels.any()
    assert said is not None
    sums = [int(said.fit(1412, counting=name).labels.sum()) for name in ("", "half-open", "zero-inclusive")]
    firsts = [int(said.fit(1412, counting=name).labels.argmax()) for name in ("", "half-open", "zero-inclusive")]
    assert (sums, firsts) == ([76, 75, 76], [164, 165, 165])


def test_an_end_beyond_the_video_is_clamped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(COPIES["authors"])
    said = read_ucf(path, "Arson011_x264")
    assert said is not None
    assert said.fit(1266, slack=1).surplus == 1
    assert said.fit(1266, slack=1).labels.sum() == 271 + 587
    with pytest.raises(PagenError, match="within the clip's 1266, found 680 to 1267"):
        said.fit(1266)
    with pytest.raises(PagenError, match="within the clip's 900"):
        said.fit(900, slack=4)


@pytest.mark.parametrize(
    "line",
    [
        "Abuse028_x264.mp4",
        "Abuse028_x264.mp4  Abuse",
        "Abuse028_x264.mp4  Abuse  165",
        "Abuse028_x264.mp4  Abuse  165  240  680",
        "Abuse028_x264.mp4  Abuse  165  -1  -1  -1",
        "Abuse028_x264.mp4  Abuse  165  -240  -1  -1",
        "Abuse028_x264.mp4  Abuse  165  nan  -1  -1",
        "Abuse028_x264.mp4  Abuse  165.5  240  -1  -1",
        "Abuse028_x264.mp4 7183",
    ],
)
def test_lines_that_are_cut_or_say_something_else_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"Abuse030_x264.mp4  Abuse  1275  1360  -1  -1  \n{line}\n")
    with pytest.raises(PagenError, match=r"in line 2 of .*a.txt, found 'Abuse028"):
        parse_ucf(path)


@pytest.mark.parametrize("name", TRUTH)
def test_structures_of_matlab_say_the_same(tmp_path: Path, name: str) -> None:
    path, rows = tmp_path / f"{name}.mat", TRUTH[name] or [(-1, -1)]
    anno = np.array(rows, np.min_scalar_type(max(max(row) for row in rows)) if TRUTH[name] else np.int16)
    record = {"VideoName": f"{name}.mp4", "Anno": anno, "EventName": "Abuse"}
    scipy.io.savemat(path, {"Annotation_file": record})
    assert list(read_ucf_mat(path, name).pairs) == TRUTH[name]
    with pytest.raises(PagenError, match=rf"of Abuse099_x264 in .*, found .* of {name}"):
        read_ucf_mat(path, "Abuse099_x264")


@pytest.mark.parametrize(
    "record",
    [
        {"VideoName": "a.mp4"},
        {"VideoName": "a.mp4", "Anno": [1.0, np.nan]},
        {"VideoName": "a.mp4", "Anno": [1, 2, 3]},
        {"VideoName": "a.mp4", "Anno": "text"},
        [1, 2],
    ],
)
def test_structures_of_another_form_are_refused(tmp_path: Path, record: object) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"Annotation_file": record})
    with pytest.raises(PagenError, match=r"a\.mat"):
        read_ucf_mat(tmp_path / "a.mat", "a")
