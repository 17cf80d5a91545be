"""Networks: no files, no devices, no global state. `build` makes one from the name and arguments on its card."""

from stylizer.models.colourist import Colourist
from stylizer.models.enlarger import Enlarger
from stylizer.models.registry import ARCHITECTURES, build, channels_last, create, lowered, restorer
from stylizer.models.restorer import Restorer, RestorerOutput
from stylizer.models.stylist import Stylist
from stylizer.models.translator import Translator

__all__ = [
    "ARCHITECTURES",
    "Colourist",
    "Enlarger",
    "Restorer",
    "RestorerOutput",
    "Stylist",
    "Translator",
    "build",
    "channels_last",
    "create",
    "lowered",
    "restorer",
]
