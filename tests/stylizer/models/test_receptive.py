"""The walker says how far a pixel sees: never less than a gradient shows, and nothing at all where there is no end."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from stylizer.models import ARCHITECTURES, Colourist, create
from stylizer.models.colourist import Tints
from stylizer.models.receptive import UnboundedReach, reach

SMALL: dict[str, dict[str, Any]] = {
    "restorer": {"widths": (4, 6, 8), "middle": 2},
    "judged-restorer": {"widths": (4, 6, 8), "middle": 1},
    "classic": {"width": 4, "levels": 3},
    "stylist": {"widths": (4, 6), "blocks": 2, "code": 4},
    "translator": {"widths": (4, 6, 8), "middle": 1},
    "enlarger": {"width": 4, "blocks": 2},
    "colourist": {"widths": (4, 6, 8, 8), "middle": 1},
}
# Looks at the thumbnail alone; its tiles look nowhere.
WHOLE = {"colourist"}


def seen_by_gradient(network: nn.Module, side: int, row: int, column: int) -> int:
    """How far from (row, column) of the output a pixel of the input still matters."""
    x = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    out = network(x)
    out = out if isinstance(out, Tensor) else out[0]
    (gradient,) = torch.autograd.grad(out[0, :, row, column].sum(), x)
    seen = gradient.abs().sum((0, 1)).nonzero()
    by = out.shape[2] // side
    return int((seen - torch.tensor([row // by, column // by])).abs().max())


def positive(network: nn.Module) -> nn.Module:
    """With weights above zero nothing cancels, so that a gradient shows all there is to see."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.rand_like(parameter) * 0.1 + 0.01)
    return network.double().eval()


def test_every_architecture_has_small_arguments_here() -> None:
    assert set(SMALL) == set(ARCHITECTURES)


@pytest.mark.parametrize("architecture", sorted(set(SMALL) - WHOLE))
def test_no_pixel_of_any_architecture_sees_further_than_its_halo(architecture: str) -> None:
    network = create(architecture, **SMALL[architecture]).double().eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    by = int(getattr(network, "factor", 1))
    found = reach(network.float(), factor=by)
    network.double()
    halo, stride = int(network.halo), int(network.stride)  # type: ignore[arg-type]
    assert stride == found.stride if by == 1 else stride % found.stride == 0
    assert found.halo <= halo
    side = 2 * halo + 3 * stride
    middle = side // 2 // stride * stride
    most = max(
        seen_by_gradient(network, side, by * middle + a, by * middle + b)
        for a, b in ((0, 0), (stride - 1, 3), (1, 0))
    )
    assert found.radius - 2 * stride <= most <= found.radius


@st.composite
def chains(draw: st.DrawFn) -> nn.Sequential:
    """Convolutions of any kind and pixels into channels and out again; what comes out has the size of what went in."""
    parts: list[nn.Module] = []
    channels = 3
    for down in draw(st.lists(st.booleans(), max_size=2)):
        kernel = draw(st.sampled_from([1, 3, 5]))
        parts.append(nn.Conv2d(channels, 3, kernel, padding=kernel // 2, dilation=1))
        parts.append(nn.PixelUnshuffle(2) if down else nn.Conv2d(3, 12, 2, 2))
        channels = 12
    deep = sum(
        isinstance(part, nn.PixelUnshuffle) or getattr(part, "stride", None) == (2, 2) for part in parts
    )
    dilation = draw(st.integers(1, 3))
    parts.append(nn.Conv2d(channels, 12, 3, padding=dilation, dilation=dilation))
    channels = 12
    for _ in range(deep):
        if draw(st.booleans()):
            parts.append(nn.ConvTranspose2d(channels, 12, 4, 2, 1))
        else:
            larger: list[nn.Module] = [nn.Conv2d(channels, 48, 1), nn.PixelShuffle(2)]
            parts += (
                larger if draw(st.booleans()) else [nn.Conv2d(channels, 12, 1), nn.Upsample(scale_factor=2)]
            )
        channels = 12
    return nn.Sequential(*parts, nn.Conv2d(channels, 1, 3, padding=1))


@settings(max_examples=40, deadline=None)
@given(chains(), st.integers(0, 3), st.integers(0, 3))
def test_the_walk_never_says_less_than_a_gradient_shows(
    network: nn.Sequential, down: int, right: int
) -> None:
    found = reach(network)
    assert found.radius >= seen_by_gradient(positive(network), 96, 48 + down, 48 + right)


@settings(max_examples=20, deadline=None)
@given(chains())
def test_the_walk_says_no_more_than_the_most_a_gradient_shows(network: nn.Sequential) -> None:
    found = reach(network)
    exact = positive(network)
    most = max(seen_by_gradient(exact, 96, 48 + i, 48 + i) for i in range(found.stride))
    assert found.radius <= most + 2 * (found.stride - 1)


class Whole(nn.Module):
    """Multiplies by the mean of the picture, as squeeze-and-excitation does."""

    def forward(self, x: Tensor) -> Tensor:
        return x * x.mean((2, 3), keepdim=True)


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        return (flat @ flat.transpose(1, 2)).softmax(-1) @ flat


@pytest.mark.parametrize(
    "network",
    [nn.InstanceNorm2d(3), nn.GroupNorm(1, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), Whole(), Attention(),
     nn.LayerNorm([3, 16, 16])],
    ids=lambda network: type(network).__name__,
)  # fmt: skip
def test_what_sees_the_whole_picture_is_refused(network: nn.Module) -> None:
    with pytest.raises(UnboundedReach):
        reach(network)


def test_no_pixel_of_a_coloured_tile_sees_another() -> None:
    network = create("colourist", **SMALL["colourist"]).eval()
    assert isinstance(network, Colourist)
    tints = network.tints(torch.rand(1, 3, 20, 30))
    x = torch.rand(1, 3, 9, 11, dtype=torch.float64, requires_grad=True)
    rows, columns = torch.arange(9.0, dtype=torch.float64), torch.arange(11.0, dtype=torch.float64)
    made, _sure = network.colour_tile(x, Tints(*(part.double() for part in tints)), rows, columns)
    # Of each channel by itself: their sum at one luma hardly changes with what lies elsewhere.
    gradient = sum(torch.autograd.grad(made[0, c, 4, 5], x, retain_graph=True)[0].abs() for c in range(3))
    assert isinstance(gradient, Tensor)
    seen = gradient.sum((0, 1)).nonzero()
    assert seen.tolist() == [[4, 5]]
    assert network.halo == 0


def test_another_size_of_picture_and_none_at_all_are_refused() -> None:
    with pytest.raises(UnboundedReach, match="another size"):
        reach(nn.Conv2d(3, 3, 3, 2, 1))
    with pytest.raises(UnboundedReach, match="depends on the picture"):
        reach(lambda x: torch.ones(1))


def test_a_network_can_be_built_where_gradients_are_switched_off_for_good() -> None:
    with torch.inference_mode():
        inside = create("restorer", **SMALL["restorer"])
    assert inside.halo == create("restorer", **SMALL["restorer"]).halo
