"""A picture of how training goes: damaged, repaired, target and damage map, one sample a row."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import nn

from stylizer.training.objective import Batch


def write_sheet(
    path: Path, network: nn.Module, batch: Batch, *, rows: int = 8, device: torch.device | None = None
) -> None:
    """Write a PNG of the first `rows` pictures of a batch."""
    place = device or torch.device("cpu")
    damaged, toned, mask = (part[:rows].to(place) for part in batch)
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
    pixels = sheet.mul(255).round().byte().permute(1, 2, 0).contiguous().cpu().numpy()
    Image.fromarray(pixels).save(path, format="PNG")
