"""Lists of clips, one a line: Zhong's split of ShanghaiTech, UBnormal's, UCF-Crime's, CHAD's, MSAD's, and copies."""

from __future__ import annotations

import re
from pathlib import Path

from pagen.footage.labels.raw import bare, lines


def names_in_list(path: Path) -> list[str]:
    """The clips that a list names, each once, in its order, without folder and extension.

    What stands after a comma or white space (a label, a number of frames) is left out, and so is what lists of files
    of features add to a clip's name. A last line need not end. Raises PagenError: no text, or nothing in it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "SH_Test.txt")
        ...     _ = path.write_text("01_001,0,764\\r\\nAbuse/Abuse001_x264.mp4\\n/data/Assault_2_i3d.npy")
        ...     names_in_list(path)
        ['01_001', 'Abuse001_x264', 'Assault_2']
    """
    names = (re.split(r"[\s,|]", line, maxsplit=1)[0] for _, line in lines(path))
    return list(
        dict.fromkeys(re.sub(r"_(i3d|c3d|swin)$", "", bare(name)) if ".npy" in name else bare(name) for name in names)
    )
