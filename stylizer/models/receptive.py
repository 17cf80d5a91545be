"""How far a pixel of a network's output can see: the radius that a tile's halo must cover, operation by operation.

`reach` runs a network once on a small picture and follows every primitive operation that torch carries out. Each
tensor that depends on the picture carries what an element of it can see; an operation without a rule here is refused,
so that a network which looks at the whole picture (instance or group normalisation, pooling to one value, attention)
can never be cut into tiles by mistake.

The rules. An element at index i, of a grid whose cells measure s pixels, sees the pixels from i·s − before to
i·s + s − 1 + after. A convolution of kernel k, stride t, padding p and dilation d adds p·s before and
((k − 1)·d + 1 − p − t)·s after, and makes cells of t·s pixels; cutting and padding shift both ends; what takes pixels
out of channels, or repeats them, may see all of the coarse cell; combining takes the larger of each.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from stylizer.errors import ModelError

aten = torch.ops.aten


class UnboundedReach(ModelError):
    """A network does something that no halo covers, or that nobody has said the reach of."""

    code = "model-unbounded-reach"


@dataclass(frozen=True)
class Axis:
    """What an element sees along one axis, in pixels of the picture; `at` is the tensor's dimension."""

    at: int
    cell: int = 1
    before: int = 0
    after: int = 0

    def moved(self, by: int) -> "Axis":
        """Element i is what element i + by was."""
        return replace(self, before=self.before - by * self.cell, after=self.after + by * self.cell)


Seen = tuple[Axis, Axis]  # rows, columns


@dataclass(frozen=True)
class Reach:
    """In pixels: how far an output pixel sees `before` and `after` itself at most, the `stride` tiles must begin on.

    Of outputs coarser than the picture: how far a cell sees before and after the pixels it covers.
    """

    before: int
    after: int
    stride: int

    @property
    def radius(self) -> int:
        """The farther of the two."""
        return max(self.before, self.after)

    @property
    def halo(self) -> int:
        """The radius, filled up to a multiple of the stride."""
        return -(-self.radius // self.stride) * self.stride


def reach(
    network: Callable[[Tensor], Any], *, side: int = 16, factor: int = 1, coarse: bool = False
) -> Reach:
    """Walk a network of pictures (B, 3, H, W) → anything of pictures, all `factor` times the size of what went in.

    While walking a pixel of the result counts 1 and one of the source `factor`; what is told is in the source's. With
    `coarse` what comes out may have any size.

    Raises:
        UnboundedReach: an operation that sees the whole picture, or one without a rule.
    """
    # Inference mode hands composite operations on unopened; the rules are for what they are made of.
    with torch.inference_mode(False), torch.no_grad():
        picture = torch.zeros(1, 3, side, side)
        with _Walker(picture, factor) as walker:
            made = network(picture)
    ends = [axis for part in tree_leaves(made) if (seen := walker.seen(part)) for axis in seen]
    if not ends:
        raise UnboundedReach("Nothing the network gives depends on the picture.")
    if not coarse and any(axis.cell != 1 for axis in ends):
        raise UnboundedReach(
            f"The network gives a picture of another size than {factor} times what it was given."
        )
    before, after = (max(0, *(getattr(axis, side) for axis in ends)) for side in ("before", "after"))
    return Reach(-(-before // factor), -(-after // factor), walker.stride // factor)


class _Walker(TorchDispatchMode):
    """Carries out every operation as it is, and notes what its result sees."""

    def __init__(self, picture: Tensor, factor: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # The tensors are kept with what they see: the identity of one that is gone may be given to another.
        self._known: dict[int, tuple[Tensor, Seen]] = {
            id(picture): (picture, (Axis(2, factor), Axis(3, factor)))
        }
        self.stride = factor

    def seen(self, value: object) -> Seen | None:
        known = self._known.get(id(value))
        return known[1] if known else None

    def __torch_dispatch__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        made = func(*args, **given)
        inputs = [seen for value in tree_leaves((args, given)) if (seen := self.seen(value))]
        if inputs:
            rule = _RULES.get(func.overloadpacket)
            if rule is None:
                raise UnboundedReach(
                    f"{func}: no rule says how far this operation sees. Add one, or do without it."
                )
            result = rule(inputs, args, given)
            self.stride = max(self.stride, *(axis.cell for axis in result))
            for part in tree_leaves(made):
                if isinstance(part, Tensor):
                    self._known[id(part)] = (part, result)
        return made


Rule = Callable[[list[Seen], tuple[Any, ...], Mapping[str, Any]], Seen]


def _both(seen: Seen, change: Callable[[Axis, int], Axis]) -> Seen:
    return change(seen[0], 0), change(seen[1], 1)


def _pointwise(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    def widest(axis: Axis, which: int) -> Axis:
        others = [seen[which] for seen in inputs]
        if {(other.cell, other.at) for other in others} != {(axis.cell, axis.at)}:
            raise UnboundedReach(
                "Two pictures of different scale are combined; only equal scales have a rule."
            )
        return replace(axis, before=max(o.before for o in others), after=max(o.after for o in others))

    return _both(inputs[0], widest)


def _convolution(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    _, weight, _, stride, padding, dilation, transposed, _, _ = args

    def along(axis: Axis, which: int) -> Axis:
        step, pad = stride[which % len(stride)], padding[which % len(padding)]
        span = (weight.shape[2 + which] - 1) * dilation[which % len(dilation)]
        if not transposed:
            after = axis.after + (span + 1 - pad - step) * axis.cell
            return replace(axis, cell=axis.cell * step, before=axis.before + pad * axis.cell, after=after)
        cell = axis.cell // step
        before = axis.before + (span - pad) * cell
        return replace(axis, cell=cell, before=before, after=axis.after + pad * cell + axis.cell - cell)

    return _both(inputs[0], along)


def _out_of_channels(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    def along(axis: Axis, _which: int) -> Axis:
        cell = axis.cell // args[1]
        rest = axis.cell - cell
        return replace(axis, cell=cell, before=axis.before + rest, after=axis.after + rest)

    return _both(inputs[0], along)


def _repeated(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    size, sides = args[1], args[0].shape[2:]
    factors = [size[0] / sides[0], size[1] / sides[1]] if size else args[2]
    if factors[0] != factors[1] or factors[0] != int(factors[0]):
        raise UnboundedReach("Enlarging has a rule for the same whole factor along both axes only.")
    return _out_of_channels(inputs, (args[0], int(factors[0])), given)


def _into_channels(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    return _both(inputs[0], lambda axis, _: replace(axis, cell=axis.cell * args[1]))


def _permute(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    order = [dim % args[0].dim() for dim in args[1]]
    return _both(inputs[0], lambda axis, _: replace(axis, at=order.index(axis.at)))


def _pad(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    dims, widths = args[0].dim(), args[1]

    def along(axis: Axis, _which: int) -> Axis:
        place = 2 * (dims - 1 - axis.at)
        return axis.moved(-widths[place]) if place < len(widths) else axis

    return _both(inputs[0], along)


def _cut(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    dim = (args[1] if len(args) > 1 else 0) % args[0].dim()
    start = (args[2] if len(args) > 2 else None) or 0
    if len(args) > 4 and args[4] != 1:
        raise UnboundedReach("Every second element of a picture is taken; only whole cuts have a rule.")
    start += args[0].shape[dim] if start < 0 else 0
    return _both(inputs[0], lambda axis, _: axis.moved(start) if axis.at == dim else axis)


def _over(dims: Callable[[tuple[Any, ...]], Sequence[int]], what: str) -> Rule:
    """A rule for what gathers over dimensions: none of them may lie in the picture."""

    def rule(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
        taken = {dim % args[0].dim() for dim in dims(args)}
        if taken & {axis.at for axis in inputs[0]}:
            raise UnboundedReach(f"{what} over rows or columns sees the whole picture; no halo covers that.")
        return inputs[0]

    return rule


def _batch_norm(inputs: list[Seen], args: tuple[Any, ...], given: Mapping[str, Any]) -> Seen:
    if args[5]:
        raise UnboundedReach(
            "Batch normalisation in training sees the whole batch; evaluate with what it learnt."
        )
    return inputs[0]


def _reduced(args: tuple[Any, ...]) -> Sequence[int]:
    dims = args[1] if len(args) > 1 else None
    if len(args) < 3 or not args[2]:  # without keepdim the dimensions behind would have other numbers
        return range(args[0].dim())
    return list(dims) if dims else range(args[0].dim())


def _normalised(args: tuple[Any, ...]) -> Sequence[int]:
    return range(args[0].dim() - len(args[1]), args[0].dim())


_POINTWISE = (
    "add", "add_", "sub", "mul", "mul_", "div", "addcmul", "addcmul_", "relu", "relu_", "leaky_relu", "leaky_relu_",
    "gelu", "silu", "sigmoid", "tanh", "clamp", "clamp_", "maximum", "minimum", "where", "rsqrt", "pow", "lerp", "neg",
    "abs", "exp", "_to_copy", "clone", "detach", "copy_", "alias", "cat", "zeros_like", "ones_like", "split",
    "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes",
)  # fmt: skip

_RULES: Mapping[Any, Rule] = {
    **{getattr(aten, name): _pointwise for name in _POINTWISE},
    aten.convolution: _convolution,
    aten.pixel_shuffle: _out_of_channels,
    aten.pixel_unshuffle: _into_channels,
    aten.upsample_nearest2d: _repeated,
    aten.permute: _permute,
    aten.constant_pad_nd: _pad,
    aten.reflection_pad2d: _pad,
    aten.slice: _cut,
    aten.native_batch_norm: _batch_norm,
    aten.native_layer_norm: _over(_normalised, "Normalising"),
    aten.amax: _over(_reduced, "A maximum"),
    aten.amin: _over(_reduced, "A minimum"),
    aten.mean: _over(_reduced, "A mean"),
}
