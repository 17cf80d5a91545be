"""The restorer: exact in tiles, honest about its reach, harmless to grey and to what it is not sure of."""

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from stylizer.cards import Card
from stylizer.errors import UnknownModel
from stylizer.models import Restorer, build, create
from stylizer.models.blocks import Residual
from stylizer.models.restorer import inner
from stylizer.models.tone import KNOTS, ToneNet, apply_curves

SMALL = {"widths": (4, 6, 8), "middle": 2}


@pytest.fixture(scope="module")
def network() -> Restorer:
    torch.manual_seed(0)
    restorer = Restorer(widths=(4, 6, 8), middle=2).eval()
    with torch.no_grad():
        for weight in restorer.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)
    return restorer


def _residual(network: Restorer, x: Tensor) -> Tensor:
    with torch.no_grad():
        residual: Tensor = network(x).residual
    return residual


def test_no_pixel_sees_further_than_the_halo(network: Restorer) -> None:
    side = 2 * network.halo + 3 * network.stride
    x = torch.rand(1, 3, side, side, requires_grad=True)
    middle = side // 2
    for row, column in ((middle, middle), (middle + 3, middle + 5), (middle + 7, middle)):
        (gradient,) = torch.autograd.grad(network(x).residual[0, :, row, column].sum(), x)
        seen = gradient.abs().sum((0, 1)).nonzero()
        reach = (seen - torch.tensor([row, column])).abs().max()
        assert 0 < int(reach) <= network.halo


def test_tiles_with_their_halo_are_exactly_the_whole(network: Restorer) -> None:
    halo, stride = network.halo, network.stride
    x = torch.rand(1, 3, 2 * halo + 10 * stride, 2 * halo + 7 * stride)
    whole = _residual(network, x)
    for top in range(0, 10 * stride, 4 * stride):
        for left in range(0, 7 * stride, 3 * stride):
            tile = x[:, :, top : top + 4 * stride + 2 * halo, left : left + 3 * stride + 2 * halo]
            part = _residual(network, tile)
            core = part[:, :, halo : tile.shape[2] - halo, halo : tile.shape[3] - halo]
            expected = whole[
                :, :, top + halo : top + halo + core.shape[2], left + halo : left + halo + core.shape[3]
            ]
            assert (core - expected).abs().max() <= 1e-5


@pytest.fixture(scope="module", params=[("restorer", 0.0), ("restorer", 0.1), ("judged-restorer", 0.1)])
def seeing(request: pytest.FixtureRequest) -> Restorer:
    """With weights above zero: whatever it can see, it answers to."""
    name, slope = request.param
    made = cast(Restorer, create(name, **SMALL, slope=slope)).eval().double()
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.rand_like(weight) * 0.2 + 0.05)
        for layer in made.modules():
            if isinstance(layer, nn.LayerNorm):
                layer.weight.fill_(1)
    return made


@pytest.mark.parametrize("more", [-24, 0, 8, 40])
def test_the_halo_let_go_of_on_the_way_is_not_missed_inside(seeing: Restorer, more: int) -> None:
    halo = seeing.halo + more
    x = torch.rand(1, 3, 2 * halo + 48, 2 * halo + 32, dtype=torch.float64)
    with torch.no_grad():
        for whole, part in zip(seeing(x), seeing(x, halo), strict=True):
            assert (inner(whole, halo) - part).abs().max() <= 1e-9 * whole.abs().max()
            assert part.shape[2:] == (48, 32)


def test_to_let_go_of_more_would_show(seeing: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    halo = seeing.halo
    x = torch.rand(1, 3, 2 * halo + 96, 2 * halo + 96, dtype=torch.float64)
    with torch.no_grad():
        whole = seeing(x)
        monkeypatch.setattr(seeing, "_ahead", [max(0, ahead - 48) for ahead in seeing._ahead])
        assert any(
            (inner(a, halo) - b).abs().max() > 1e-9 * a.abs().max()
            for a, b in zip(whole, seeing(x, halo), strict=True)
        )


@pytest.mark.parametrize(("slope", "learns"), [(0.0, False), (0.1, True)])
def test_a_channel_whose_values_are_all_negative_learns_on_where_there_is_a_slope(
    slope: float, learns: bool
) -> None:
    block = Residual(4, slope)
    with torch.no_grad():
        block.first.bias.fill_(-50)  # type: ignore[union-attr]
    block(torch.rand(1, 4, 8, 8)).sum().backward()
    assert block.first.weight.grad is not None
    assert bool(block.first.weight.grad.any()) is learns


def test_sides_that_do_not_fit_the_stride_are_refused(network: Restorer) -> None:
    with pytest.raises(ValueError, match="multiples of 8: got"):
        network(torch.rand(1, 3, 12, 16))


def test_a_grey_picture_comes_back_grey_to_the_last_bit(network: Restorer) -> None:
    grey = torch.rand(1, 1, 64, 64).expand(1, 3, 64, 64).contiguous()
    with torch.no_grad():
        out, damage = network.restore_tile(grey, network.tone(grey))
    assert torch.equal(out[:, 0], out[:, 1])
    assert torch.equal(out[:, 0], out[:, 2])
    assert damage.shape == (1, 1, 64, 64)


def test_below_the_gates_floor_not_one_bit_changes() -> None:
    network = Restorer(widths=(4, 6, 8), middle=1, gate_floor=0.93, tone_floor=0.93).eval()
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network(x).residual, torch.zeros_like(x))
        out, _ = network.restore_tile(x, network.tone(x))
    assert (out - x).abs().max() < 1e-6


def test_tone_does_not_depend_on_the_size_of_the_thumbnail(network: Restorer) -> None:
    flat = torch.tensor([0.2, 0.5, 0.7]).reshape(1, 3, 1, 1)
    one, other = network.tone(flat.expand(1, 3, 1, 1)), network.tone(flat.expand(1, 3, 170, 256))
    assert one.shape == (1, 3, KNOTS)
    assert torch.allclose(one, other, atol=1e-5)


def test_identity_curves_give_the_picture_back() -> None:
    x = torch.rand(2, 3, 8, 8)
    identity = torch.linspace(0, 1, KNOTS).expand(1, 3, KNOTS)
    assert torch.allclose(apply_curves(x, identity), x, atol=1e-6)


def test_a_card_names_its_network_and_an_unknown_one_is_refused() -> None:
    card = Card(
        name="r", version="1", operation="restore", architecture="restorer", weights="0" * 64, arguments=SMALL
    )
    assert isinstance(build(card), Restorer)
    with pytest.raises(
        UnknownModel, match="expected one of classic, colourist, enlarger, judged-restorer, restorer"
    ):
        create("oracle")


def test_restraint_darkens_the_middle_only_where_the_network_sees_fading() -> None:
    identity = torch.linspace(0, 1, KNOTS)
    tone = create("restorer", **SMALL, tone_restraint=0.7, tone_deepen=0.7).get_submodule("tone_net")
    assert isinstance(tone, ToneNet)
    yellow = torch.linspace(0, 0.2, KNOTS).expand(1, 3, KNOTS)
    assert torch.allclose(tone._restrained(identity, yellow), identity + yellow)
    faded = torch.full((1, 3, KNOTS), -0.1)
    assert (tone._restrained(identity, faded)[:, :, 4:12] < (identity - 0.03)[4:12]).all()
