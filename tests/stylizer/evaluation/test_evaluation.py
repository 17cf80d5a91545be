"""The evaluation: frozen, seeded, and measuring what it says."""

import hashlib
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylizer.evaluation import baselines, metrics, protocol, report
from stylizer.evaluation.heldout import KINDS
from stylizer.evaluation.restoring import mirrored, to_tensor

# Committed before the first training run; whoever changes the evaluation must say so here and in PROTOCOL.
PICTURES = "86efbd4daaa47128d21c09e3a138d798414e9c178f8b2db5eb8764465c170326"
CHAINS = "409a3b1cdf2edad6303c9290f64d2c889742d3831ab223c3f30e76cef59ff1e4"


def _picture(seed: int = 0, side: int = 96) -> metrics.Picture:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize((side, side))
    return (np.asarray(coarse) / 255).astype(np.float32)


def test_the_protocol_is_the_one_that_was_frozen() -> None:
    home = files("stylizer.evaluation")
    for name, digest in (("frozen.json", PICTURES), ("frozen_chains.json", CHAINS)):
        assert hashlib.sha256((home / name).read_bytes()).hexdigest() == digest, name
    test, tuning = protocol.frozen()["test"], protocol.frozen()["tuning"]
    assert not set(test) & set(tuning)
    assert (len(test), len(tuning)) == (40, 12)
    assert protocol.seed_of("mixed", "a.jpg") == protocol.seed_of("mixed", "a.jpg")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_damage_changes_the_picture_the_same_way_each_time(kind: str) -> None:
    first, again = (KINDS[kind][0](_picture(), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() <= 1
    assert 5 < metrics.psnr(first, _picture()) < 60


def test_training_cannot_see_the_held_out_damage() -> None:
    code = (
        "import sys, stylizer.training.cli, stylizer.training.loop, stylizer.damage\n"
        "sys.exit(any(name.startswith('stylizer.evaluation') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_psnr_and_ssim_agree_with_their_definitions() -> None:
    one, other = _picture(), np.clip(_picture() + 0.1, 0, 1).astype(np.float32)
    assert metrics.psnr(one, one) == 100
    flat = np.full((16, 16, 3), 0.5, np.float32)
    assert metrics.psnr(flat, flat + np.float32(0.1)) == pytest.approx(20, abs=1e-3)
    assert metrics.ssim(one, one) == pytest.approx(1)
    assert metrics.ssim(one, other) < 1
    with pytest.raises(ValueError, match="one shape"):
        metrics.mse(one, one[:8])


def test_the_classical_chain_takes_a_scratch_away() -> None:
    clean = np.full((64, 64, 3), 0.4, np.float32)
    scratched = clean.copy()
    scratched[:, 30:32] = 1
    repaired = baselines.Chain(scratch_size=7)(scratched)
    assert metrics.psnr(repaired, clean) > metrics.psnr(scratched, clean) + 10
    assert set(baselines.chains()) == set(baselines.FAMILIES)


def test_a_report_sets_every_kind_beside_its_own_input() -> None:
    clean = _picture()
    dark = (clean * np.float32(0.5)).astype(np.float32)
    pairs = [protocol.Pair("dark", str(number), dark, clean) for number in range(3)]
    measured = report.evaluate(
        pairs, {"double": lambda picture: np.clip(picture * 2, 0, 1).astype(np.float32)}
    )
    row = measured.figures["dark"]
    assert row["double"]["psnr"] > row["input"]["psnr"] + 20
    assert measured.best("dark", ["input", "double"]) == "double"
    assert "| dark | 3 |" in measured.table(["input", "double"])
    assert row["input"]["psnr_low"] <= row["input"]["psnr"] + 1e-9


def test_mirroring_reaches_beyond_a_picture_of_one_pixel() -> None:
    padded = mirrored(to_tensor(np.full((1, 1, 3), 0.3, np.float32)), halo=16, stride=8)
    assert padded.shape == (1, 3, 40, 40)
    assert float(padded.min()) == pytest.approx(0.3)


def test_pairs_written_to_a_folder_have_the_layout_that_evaluate_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in protocol.frozen()["tuning"]:
        Image.fromarray((_picture(hash(name) % 100) * 255).astype(np.uint8)).save(tmp_path / name)
    pair = next(protocol.pairs(tmp_path, part="tuning", kind="jpeg"))
    assert pair.kind == "jpeg"
    assert pair.input.shape == pair.target.shape == (96, 96, 3)
