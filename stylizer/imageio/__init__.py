"""Pictures in and out, for archive and engine alike: facts from bytes, upright pixels in bands, one derivative form.

No torch, and no Pillow for anything that could have 16 bits: it silently reduces them to 8.
"""

from stylizer.imageio.derivative import DerivativeWriter
from stylizer.imageio.facts import DEFAULT_LIMITS, Facts, Limits
from stylizer.imageio.inspect import facts, page_facts
from stylizer.imageio.picture import Picture, open_picture
from stylizer.imageio.rows import Rows
from stylizer.imageio.thumbnail import thumbnail

__all__ = [
    "DEFAULT_LIMITS",
    "DerivativeWriter",
    "Facts",
    "Limits",
    "Picture",
    "Rows",
    "facts",
    "open_picture",
    "page_facts",
    "thumbnail",
]
