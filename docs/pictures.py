"""Draw the pictures of the documentation: `make pictures`. Street footage only; no frames of research data sets."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent


def main() -> None:
    """Generate a PA set of the street at its own size and keep its gallery."""
    from pagen.generate.config import Generate
    from pagen.generate.gallery import gallery
    from pagen.generate.generate import generate
    from pagen.generate.pa_set import open_pa_folder

    with tempfile.TemporaryDirectory() as folder:
        os.environ["PAGEN_CACHE"] = f"{folder}/cache"
        summary = generate(Generate("street", size=(128, 192), out=Path(folder) / "pa"))
        gallery(open_pa_folder(Path(summary["path"])), DOCS / "gallery.png", rows=1)


if __name__ == "__main__":
    main()
