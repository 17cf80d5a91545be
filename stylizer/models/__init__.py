"""Networks: no files, no devices, no global state. `build` makes one from the name and arguments on its card."""

from stylizer.models.registry import ARCHITECTURES, build, channels_last, create, lowered, restorer
from stylizer.models.restorer import Restorer, RestorerOutput
from stylizer.models.stylist import Stylist

__all__ = [
    "ARCHITECTURES",
    "Restorer",
    "RestorerOutput",
    "Stylist",
    "build",
    "channels_last",
    "create",
    "lowered",
    "restorer",
]
