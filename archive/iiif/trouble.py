"""What stands in the way of renditions and is no picture's fault: a store that is away, a disk that is full."""

import errno
import logging
import os
import time

import pyvips

from archive.store import MissingObject, StoreError
from archive.system.readiness import storage

log = logging.getLogger(__name__)

FULL = {errno.ENOSPC, errno.EDQUOT}
FIRST_REST = 10.0  # seconds
LONGEST_REST = 300.0


def passes(error: Exception) -> bool:
    """Whether the same may go well later with the picture as it is."""
    if isinstance(error, MissingObject):
        return not storage().ready  # an empty mount point lacks everything
    if isinstance(error, StoreError):
        return error.transient
    if isinstance(error, pyvips.Error):  # libvips has the system's errors in words only
        return any(os.strerror(number) in str(error) for number in FULL)
    return isinstance(error, OSError) and error.errno in FULL


class Rest:
    """This process makes nothing for a while, longer each time: a store that comes back is not met by a storm."""

    def __init__(self) -> None:
        self._until, self._times = 0.0, 0

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def begin(self, why: Exception) -> None:
        seconds = min(FIRST_REST * 2**self._times, LONGEST_REST)
        self._times += 1
        self._until = time.monotonic() + seconds
        log.error("No renditions are made for %.0f s: %s", seconds, why)

    def end(self) -> None:
        self._until, self._times = 0.0, 0
