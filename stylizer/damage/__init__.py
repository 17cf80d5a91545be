"""Synthetic ageing of clean pictures, in physical order: print, ageing, handling, scanning."""

from stylizer.damage.pipeline import Aged, age
from stylizer.damage.ranges import DEFAULT, Ranges

__all__ = ["DEFAULT", "Aged", "Ranges", "age"]
