"""A client that speaks tus by hand, so that a test can say exactly what is sent."""

import base64
from typing import Any

from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection

ADDRESS = "/api/v1/uploads/tus/"
PART = "application/offset+octet-stream"


class Sender:
    """A client that speaks tus by hand."""

    def __init__(self, person: User) -> None:
        self.client = Client(headers={"tus-resumable": "1.0.0"}, raise_request_exception=False)
        self.client.force_login(person)

    def begin(
        self, length: int, *, data: bytes = b"", headers: dict[str, str] | None = None, **said: Any
    ) -> Any:
        metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())
        more = {"upload-length": str(length), "upload-metadata": metadata} | (headers or {})
        return self.client.generic("POST", ADDRESS, data, content_type=PART if data else "", headers=more)

    def part(self, address: str, data: bytes, at: int, **headers: str) -> Any:
        more = {"upload-offset": str(at)} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.generic("PATCH", address, data, content_type=PART, headers=more)

    def offset(self, address: str) -> int:
        return int(self.client.head(address)["Upload-Offset"])


def begun(sender: Sender, collection: Collection, data: bytes, **said: Any) -> str:
    answer = sender.begin(len(data), filename="scan.tif", collection=collection.ref, **said)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])
