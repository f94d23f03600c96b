"""The PA set as a torch data set: every entry against what it was made of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.utils.data import DataLoader

from pagen.errors import PagenError
from pagen.footage.flow import dis
from pagen.footage.prepare import Prepared, open_prepared, prepare
from pagen.generate import open_pa_set
from pagen.generate.pa_set import KINDS, PseudoClips, open_pa_folder
from pagen.generate.patch import Patch, render
from tests_generate import LENGTHS, SIZE

pytestmark = pytest.mark.usefixtures("cache")

COUNTS = {
    "spatial": sum(max(length - 15, 0) for length in LENGTHS.values()),
    "temporal": sum(max(length - 16, 0) for length in LENGTHS.values()),
    "skip": sum(length - 15 for length in LENGTHS.values() if length > 30),
    "patch": sum(max(length - 15, 0) for length in LENGTHS.values()),
}
