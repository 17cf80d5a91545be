"""What a picture says of itself on its way out. What an AI made says so in its bytes and in its name; a scan is sent as
it is.

The bytes carry the packet of XMP that the derivative's own file carries, put in when they are sent: a pyramid is
disposable, and those made before this was so need not be made again.
"""

from django.utils.http import content_disposition_header
from django.utils.text import slugify

from archive.iiif.parameters import FORMATS

JFIF_END = 20  # bytes of a JPEG file's beginning and its JFIF segment, behind which the packet goes
XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\x00"
WEBP_HAS_XMP = 0x04


def stem(title: str, number: int, made: str) -> str:
    """What a file is called before its extension. `made` is `original`, or what was done to it."""
    return f"{slugify(title, allow_unicode=True)[:80] or 'scan'}.v{number}.{made}"


def made_by_ai(role: str) -> str:
    return f"AI-{role}"


def names(called: str) -> dict[str, str]:
    """`Content-Disposition` by extension, for pictures that are shown and, if anybody keeps them, keep this name."""
    return {
        extension: content_disposition_header(False, f"{called}.{extension}") or "" for extension in FORMATS
    }


def jpeg_segment(xmp: bytes) -> bytes:
    """The packet as a segment of a JPEG file; nothing for no packet."""
    if not xmp:
        return b""
    body = XMP_IN_JPEG + xmp
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body


def in_jpeg(data: bytes, xmp: bytes) -> bytes:
    """A JPEG file that begins with JFIF, with the packet."""
    return data[:JFIF_END] + jpeg_segment(xmp) + data[JFIF_END:] if xmp else data


def in_webp(data: bytes, xmp: bytes, *, width: int, height: int) -> bytes:
    """A plain, opaque WebP file with the packet: in the extended form, which may hold one."""
    if not xmp or data[12:16] == b"VP8X":
        return data
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = _chunk(b"VP8X", bytes([WEBP_HAS_XMP, 0, 0, 0]) + canvas) + data[12:] + _chunk(b"XMP ", xmp)
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\x00" * (len(body) % 2)
