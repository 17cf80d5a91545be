"""The machine a picture is made on: device, numeric settings, and the fingerprint within which bytes repeat."""

import contextlib
import ctypes
import hashlib
import json
import os
import resource
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pyvips
import torch

PROGRAMS = ("torch", "numpy", "imagecodecs", "tifffile", "pyvips-binary", "safetensors")

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # of glibc's mallopt


def choose_device(asked: str | None = None) -> torch.device:
    """As asked, else the first GPU, else the processor."""
    return torch.device(asked or ("cuda" if torch.cuda.is_available() else "cpu"))


def settle() -> None:
    """Make arithmetic repeatable. Called once, before the first network is built."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Every tensor is written before it is read; filling them first costs a twentieth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    _keep_memory()
    pyvips.cache_set_max(0)  # every row is read once; libvips would keep a hundred megabytes of them
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def software() -> dict[str, str]:
    """The versions that can change a pixel or a byte of the file."""
    from stylizer import __version__

    return {"stylizer": __version__, **_installed()}


@cache
def _installed() -> dict[str, str]:
    """Looked up once: it takes some five milliseconds, and every picture's report names them."""
    return {name: version(name) for name in PROGRAMS}


def describe(device: torch.device) -> str:
    """The device as a record names it: a GPU by its name, a processor by its instruction set."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"cpu ({torch.backends.cpu.get_cpu_capability()})"


def arithmetic(device: torch.device, precision: str) -> str:
    """What a precision is computed in on this device: fast is bf16 where there are instructions for it, else fp32.

    Without them bf16 is emulated, which takes some six times as long as the fp32 it would stand in for.
    """
    if precision != "fast":
        return "fp32"
    has = (
        torch.cuda.is_bf16_supported()
        if device.type == "cuda"
        else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return "bf16" if has else "fp32"


def fingerprint(device: torch.device, precision: str) -> str:
    """Twelve hexadecimal digits: equal where equal recipes give equal files."""
    facts = {"device": describe(device), "precision": precision, **software()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _keep_memory() -> None:
    """Let the allocator keep large blocks for the next tensor instead of giving each back to the system.

    glibc maps every large block anew, and the system fills it with zeros page by page: a quarter to a third of a
    network's time on a processor. `release` gives it all back when a large picture is done.
    """
    with contextlib.suppress(AttributeError, OSError):  # another C library: it will do as it does
        libc = ctypes.CDLL(None)
        # Small things of the threads that read and write must not lie between the network's large ones; what they hold
        # on to is small too.
        libc.mallopt(M_ARENA_MAX, 8)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def release(above: int = 0) -> None:
    """Give memory that is held but not used back to the system, if more than `above` bytes are in the process's hands.

    What is given back has to be mapped anew: done for every tile it takes a tenth to a fifth of the time.
    """
    with contextlib.suppress(AttributeError, OSError):
        if above and _held() <= above:
            return
        ctypes.CDLL(None).malloc_trim(0)


def _held() -> int:
    """Bytes of memory the process has; OSError where the system does not say."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
