"""The verb `doctor`: versions, devices, data found, and what is missing."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pagen import console
from pagen.flags import Json
from pagen.spread import default_workers
from pagen.version import __version__


@dataclass(frozen=True)
class Doctor:
    """Show versions, devices, data found, and what is missing."""

    root: Path | None = None
    """Where to look for footage, beside PAGEN_DATA and the user's list."""
    json: Json = False


def run(config: Doctor) -> None:
    """Collect the report, and print it."""
    from pagen.footage.catalogue import DATASETS
    from pagen.footage.dataset_report import row_of

    report: dict[str, Any] = {"pagen": __version__, "python": platform.python_version(), "system": platform.platform()}
    report |= {**_packages(), "devices": _devices(), "cache": _cache()}
    report["data"] = {name: row_of(DATASETS[name], config.root)["found"] for name in DATASETS.names()}
    console.result(report, config.json, _as_text(report))


def _packages() -> dict[str, dict[str, str | None]]:
    """Installed versions of what pagen needs, and of what its extras would add; None where missing."""
    from packaging.requirements import Requirement

    needed: dict[str, str | None] = {}
    extra: dict[str, str | None] = {}
    for line in requires("pagen") or ():
        requirement = Requirement(line)
        (extra if requirement.marker else needed)[requirement.name] = _version(requirement.name)
    extra.pop("pagen", None)
    return {"packages": needed, "extras": extra}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> dict[str, Any]:
    devices: dict[str, Any] = {"cpu": f"{default_workers()} cores"}
    if find_spec("torch") is not None:
        import torch

        for index in range(torch.cuda.device_count()):
            devices[f"cuda:{index}"] = torch.cuda.get_device_name(index)
        if torch.backends.mps.is_available():
            devices["mps"] = "Apple GPU"
    return devices


def _cache() -> dict[str, Any]:
    from pagen.manifest import cache_folder

    path = cache_folder()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    free = shutil.disk_usage(existing).free
    return {"path": str(path), "used_gb": round(size / 1e9, 2), "free_gb": round(free / 1e9, 1)}


def _as_text(report: dict[str, Any]) -> str:
    missing = [name for name, installed in report["packages"].items() if installed is None]
    widest = max(map(len, report["data"]))
    lines = [
        f"pagen {report['pagen']}, Python {report['python']}, {report['system']}",
        "needs    " + "  ".join(f"{name} {installed or 'MISSING'}" for name, installed in report["packages"].items()),
        "extras   " + "  ".join(f"{name} {installed or '-'}" for name, installed in report["extras"].items()),
        "devices  " + "  ".join(f"{name} ({what})" for name, what in report["devices"].items()),
        "cache    {path}, {used_gb} GB used, {free_gb} GB free".format(**report["cache"]),
        *(f"data     {name:<{widest}} {location or 'not found'}" for name, location in report["data"].items()),
    ]
    advice = f"missing: pip install {' '.join(missing)}" if missing else "nothing that is needed is missing"
    return "\n".join([*lines, advice])
