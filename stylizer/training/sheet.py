"""A picture of how training goes: damaged, repaired, target and damage map, one sample a row."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from stylizer.models import Restorer


def write_sheet(
    path: Path, network: Restorer, damaged: Tensor, toned: Tensor, mask: Tensor, *, rows: int = 8
) -> None:
    """Write a PNG; pictures (B, 3, H, W) and mask (B, 1, H, W) in 0…1."""
    damaged, toned, mask = damaged[:rows], toned[:rows], mask[:rows]
    with torch.no_grad():
        out = network(damaged)
    columns = [
        damaged,
        damaged + out.residual,
        toned,
        out.damage.expand(-1, 3, -1, -1),
        mask.expand(-1, 3, -1, -1),
    ]
    sheet = torch.cat([torch.cat(list(column), 1) for column in columns], 2).clamp(0, 1)
    pixels = sheet.mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()
    Image.fromarray(pixels).save(path, format="PNG")
