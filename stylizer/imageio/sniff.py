"""What a file is, by its first bytes. The name is never asked."""

from pathlib import Path

from stylizer.errors import EmptyFile, NotAnImage, UnreadableImage, UnsupportedImage

HEAD = 4096

# What people upload by mistake, or in good faith, and what to do instead.
REFUSED: tuple[tuple[bytes, int, type[Exception], str], ...] = (
    (b"%PDF", 0, UnsupportedImage, "This is a PDF document. Export its pages as TIFF and upload those."),
    (b"GIF8", 0, UnsupportedImage, "This is a GIF picture. Save it as PNG or TIFF and upload that."),
    (b"8BPS", 0, UnsupportedImage, "This is a Photoshop document. Save it as TIFF and upload that."),
    (b"BM", 0, UnsupportedImage, "This is a BMP picture. Save it as PNG or TIFF and upload that."),
    (b"ftypheic", 4, UnsupportedImage, "This is a HEIC picture. Save it as TIFF or JPEG and upload that."),
    (b"ftypavif", 4, UnsupportedImage, "This is an AVIF picture. Save it as TIFF or PNG and upload that."),
    (
        b"PK\x03\x04",
        0,
        NotAnImage,
        "This is a ZIP archive or an office document. Upload the pictures themselves.",
    ),
    (
        b"\x1f\x8b",
        0,
        NotAnImage,
        "This is a compressed archive. Unpack it and upload the pictures themselves.",
    ),
    (
        b"7z\xbc\xaf",
        0,
        NotAnImage,
        "This is a compressed archive. Unpack it and upload the pictures themselves.",
    ),
    (b"Rar!", 0, NotAnImage, "This is a compressed archive. Unpack it and upload the pictures themselves."),
)

MIMES = {
    "tiff": "image/tiff",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "jp2": "image/jp2",
}
ACCEPTED = "TIFF, JPEG, PNG, WebP and JPEG 2000"


def sniff(path: Path) -> str:
    """Return "tiff", "jpeg", "png", "webp" or "jp2".

    Raises:
        EmptyFile, NotAnImage, UnsupportedImage, UnreadableImage: each with what to do instead.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise UnreadableImage(f"The file could not be read ({error.strerror}). Try again.") from error
    if not head:
        raise EmptyFile("The file is empty. Copy it again from where it came from.")
    kind = _kind(head)
    if kind:
        return kind
    for magic, at, refusal, sentence in REFUSED:
        if head[at : at + len(magic)] == magic:
            raise refusal(sentence)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text[:2048]:
        raise UnsupportedImage(
            "This is an SVG drawing, which is no scan. Upload the picture as TIFF, JPEG or PNG."
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise NotAnImage(
            "This is a web page, not a picture, whatever its name says. Download the picture itself again."
        )
    raise NotAnImage(f"This is no picture the archive knows, whatever its name says. It takes {ACCEPTED}.")


def _kind(head: bytes) -> str | None:
    if head[:4] in {b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"}:
        return "tiff"
    if head[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:12] == b"\x00\x00\x00\x0cjP  \r\n\x87\n" or head[:4] == b"\xff\x4f\xff\x51":
        return "jp2"
    return None
