"""Stored files on their way out: in ranges, under names that disclose, and never once fixity has failed."""

import re
from collections.abc import Iterator
from typing import IO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from archive.catalogue.models import StoredFile, Version
from archive.iiif.label import made_by_ai, stem
from archive.store import MissingObject, get_store

CHUNK = 1 << 18
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
EXTENSIONS = {
    "image/tiff": "tif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/jp2": "jp2",
}


def file_name(version: Version) -> str:
    """What a download is called: an original by its item, a derivative also by what was done to it."""
    made = "original" if version.is_master else made_by_ai(version.role)
    extension = EXTENSIONS.get(version.file.media_type, "bin")
    return f"{stem(version.scan.item.title, version.number, made)}.{extension}"


def send(request: HttpRequest, file: StoredFile, *, name: str, inline: bool = False) -> HttpResponseBase:
    """The file's bytes, whole or in the range asked for; 410 where they are damaged or disposed of."""
    if file.condition != StoredFile.Condition.INTACT:
        sentence = "These bytes are not what they should be and are no longer served. Ask the archive."
        return HttpResponse(sentence, status=410, content_type="text/plain; charset=utf-8")
    try:
        store = get_store()
        address = store.url(file.sha256, filename=name, media_type=file.media_type)
        if address and not inline:
            return HttpResponse(status=302, headers={"Location": address})
        stream = store.open(file.sha256)
    except MissingObject as problem:
        return HttpResponse(str(problem), status=410, content_type="text/plain; charset=utf-8")
    response = _whole_or_part(request, file, stream)
    response["Content-Type"] = file.media_type
    response["Content-Disposition"] = content_disposition_header(not inline, name) or ""
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{file.sha256}"'
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _whole_or_part(request: HttpRequest, file: StoredFile, stream: IO[bytes]) -> HttpResponseBase:
    asked = RANGE.fullmatch(request.headers.get("Range", ""))
    if not asked or asked.groups() == ("", ""):
        return FileResponse(stream)
    first, last = asked.groups()
    start = int(first) if first else max(file.size - int(last), 0)
    end = min(int(last), file.size - 1) if first and last else file.size - 1
    if start > end or start >= file.size:
        stream.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}"})
    response = StreamingHttpResponse(_part(stream, start, end - start + 1), status=206)
    response["Content-Range"] = f"bytes {start}-{end}/{file.size}"
    response["Content-Length"] = str(end - start + 1)
    return response


def _part(stream: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    with stream:
        if stream.seekable():
            stream.seek(start)
        else:
            while start:
                start -= len(stream.read(min(start, CHUNK)))
        while length and (chunk := stream.read(min(length, CHUNK))):
            length -= len(chunk)
            yield chunk
