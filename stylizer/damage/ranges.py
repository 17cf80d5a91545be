"""How strong each kind of damage may be: data, written into every card that is trained on it.

Chances are 0…1 per picture; lengths are pixels of the scan; values are shares of full scale unless a name says so.
"""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """Every range of the simulator.

    `identity` is the share of pictures that come back untouched. `few` is the share of the others that get few kinds of
    damage (each kept with chance `few_keep`), mostly one or none: a network that only ever sees everything at once does
    not learn to leave the rest alone. `single` is the share of those left that get exactly one kind, each as often as
    any other: rare ones would else never be seen alone.
    """

    identity: float = 0.10
    few: float = 0.40
    few_keep: float = 0.30
    single: float = 0.0
    grey: float = 0.30
    toned: float = 0.15
    # print
    grain: float = 0.40
    grain_amount: Span = (0.012, 0.09)
    grain_sigma: Span = (0.35, 1.4)
    halftone: float = 0.10
    halftone_pitch: Span = (2.5, 9.0)
    # ageing
    fade: float = 0.55
    fade_contrast: Span = (0.35, 0.97)
    fade_lift: Span = (0.0, 0.3)
    fade_gamma: Span = (0.7, 1.45)
    fade_density: Span = (0.35, 1.0)
    fade_per_dye: Span = (0.85, 1.0)
    yellow: float = 0.40
    yellow_amount: Span = (0.03, 0.55)
    uneven: float = 0.15
    uneven_amount: Span = (0.03, 0.15)
    stain: float = 0.28
    stain_depth: Span = (0.06, 0.45)
    foxing: float = 0.22
    foxing_spots: Span = (4, 70)
    silvering: float = 0.06
    silvering_depth: Span = (0.15, 0.7)
    # handling
    scratches: float = 0.45
    scratch_count: Span = (1, 11)
    scratch_alpha: Span = (0.2, 1.0)
    scratch_bright: float = 0.62
    scratch_jagged: float = 0.4
    dust: float = 0.40
    dust_count: Span = (4, 110)
    hair_count: Span = (0, 5)
    crease: float = 0.28
    crease_count: Span = (1, 3)
    tear: float = 0.20
    tear_width: Span = (1.0, 7.0)
    hole: float = 0.14
    hole_share: Span = (0.002, 0.03)
    corner: float = 0.05
    smear: float = 0.0
    smear_amount: Span = (0.02, 0.2)
    # scanning
    blur: float = 0.35
    blur_sigma: Span = (0.3, 1.9)
    defocus: float = 0.05
    defocus_radius: Span = (0.8, 3.0)
    motion: float = 0.04
    motion_length: Span = (3.0, 11.0)
    resample: float = 0.10
    resample_scale: Span = (0.5, 1.0)
    noise: float = 0.45
    noise_read: Span = (0.004, 0.055)
    noise_shot: Span = (0.0, 0.0025)
    jpeg: float = 0.40
    jpeg_quality: Span = (22, 92)


DEFAULT = Ranges()
