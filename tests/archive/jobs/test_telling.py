"""The end of a job is told once, by a real letter and a real POST; where nobody listens it is told later."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from archive.accounts.models import Role, User
from archive.jobs import announcing
from archive.jobs.models import Job, JobItem
from tests.archive import factories


class Postman(socketserver.StreamRequestHandler):
    """As much SMTP as Django speaks."""

    letters: list[Message] = []

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            if line.upper() == "QUIT":
                self._say("221 bye")
                return
            if line.upper() != "DATA":
                self._say("250 yes")
                continue
            self._say("354 go on")
            lines: list[str] = []
            while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(text)
            Postman.letters.append(message_from_string("\n".join(lines)))
            self._say("250 taken")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Hook(BaseHTTPRequestHandler):
    told: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        Hook.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def post() -> Iterator[int]:
    Postman.letters = []
    with socketserver.TCPServer(("127.0.0.1", 0), Postman) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.told = []
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def job(db: None) -> Job:
    odo = factories.user("odo", Role.ADMIN)
    User.objects.filter(pk=odo.pk).update(email="odo@example.org")
    made = Job.objects.create(
        title="restore: Portraits", recipe=factories.recipe(), ordered_by=odo, state=Job.State.FINISHED
    )
    JobItem.objects.create(
        job=made, source=factories.master(), position=1, state="failed", code="engine-bad-tile"
    )
    return made


def mailing(settings: Any, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False


def test_the_end_is_mailed_and_posted_once(job: Job, settings: Any, post: int, hook: str) -> None:
    mailing(settings, post)
    settings.WEBHOOK = hook
    assert announcing.tell(job.pk)
    assert not announcing.tell(job.pk)
    (letter,) = Postman.letters
    assert (letter["To"], letter["Subject"]) == ("odo@example.org", "restore: Portraits")
    words = letter.get_payload(decode=True)
    assert isinstance(words, bytes)
    assert "1 failed" in words.decode()
    assert f"/jobs/{job.pk}/" in words.decode()
    (news,) = Hook.told
    assert (news["state"], news["counts"], news["job"]) == ("finished", {"failed": 1}, str(job.pk))


def test_where_nobody_listens_it_is_told_later(job: Job, settings: Any, post: int) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        mailing(settings, nobody.getsockname()[1])
        assert not announcing.tell(job.pk)
    job.refresh_from_db()
    assert job.told is None
    mailing(settings, post)
    assert announcing.tell(job.pk)
    assert len(Postman.letters) == 1


def test_a_running_job_is_no_news(job: Job, settings: Any, hook: str) -> None:
    settings.WEBHOOK = hook
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING)
    assert not announcing.tell(job.pk)
    assert Hook.told == []
