"""The end of a job is told once on each channel, by a real letter and a real POST; where nobody listens it is told
later, less and less often, and not for ever."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from archive.accounts.models import Role, User
from archive.jobs import announcing, services
from archive.jobs.models import Job, JobItem, Telling
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


def the_wait_is_over() -> None:
    Telling.objects.update(not_before=timezone.now())


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
    the_wait_is_over()
    assert announcing.tell(job.pk)
    assert len(Postman.letters) == 1


def test_a_letter_that_cannot_be_delivered_does_not_post_the_webhook_again(
    job: Job, settings: Any, post: int, hook: str
) -> None:
    settings.WEBHOOK = hook
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        mailing(settings, nobody.getsockname()[1])
        for _sweep in range(3):
            assert not announcing.tell(job.pk)
            the_wait_is_over()
    assert len(Hook.told) == 1
    mailing(settings, post)
    assert announcing.tell(job.pk)
    assert (len(Hook.told), len(Postman.letters)) == (1, 1)


def test_a_webhook_that_is_away_keeps_no_letter_back(job: Job, settings: Any, post: int) -> None:
    mailing(settings, post)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.WEBHOOK = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        assert not announcing.tell(job.pk)
    assert len(Postman.letters) == 1
    assert "refused" in Telling.objects.get(channel="webhook").problem


def test_what_cannot_be_delivered_is_asked_for_less_and_less_often_and_then_given_up(
    job: Job, settings: Any
) -> None:
    Job.objects.update(since=timezone.now() - timedelta(hours=2))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        mailing(settings, nobody.getsockname()[1])
        assert announcing.untold() == [job.pk]  # as if the message had been lost
        for tries in range(1, announcing.MOST_TRIES + 1):
            announcing.tell(job.pk)
            announcing.tell(job.pk)  # too early: it is not tried
            assert announcing.untold() == []
            assert Telling.objects.get().tries == tries
            the_wait_is_over()
            assert announcing.untold() == ([job.pk] if tries < announcing.MOST_TRIES else [])
    waits = [announcing.wait_after(tries) for tries in range(1, announcing.MOST_TRIES)]
    assert waits == sorted(waits)
    assert timedelta(hours=6) < sum(waits, timedelta()) < announcing.STALE


def test_the_next_state_of_a_job_is_news_again(job: Job, settings: Any, hook: str) -> None:
    settings.WEBHOOK = hook
    Job.objects.update(state=Job.State.PAUSED, since=timezone.now())
    assert announcing.tell(job.pk)
    services.resume(job, by=job.ordered_by)
    services.pause(job, by=job.ordered_by, note="lunch")
    Job.objects.update(since=timezone.now())  # the same transaction, and so the same time, in this test
    assert announcing.tell(job.pk)
    assert [news["note"] for news in Hook.told] == ["", "lunch"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_tell_at_once_one_posts(job: Job, settings: Any, hook: str) -> None:
    settings.WEBHOOK = hook

    def told() -> None:
        announcing.tell(job.pk)
        connection.close()

    tellers = [threading.Thread(target=told) for _n in range(4)]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join(timeout=20)
    assert len(Hook.told) == 1
    job.refresh_from_db()
    assert job.told is not None


def test_a_running_job_is_no_news(job: Job, settings: Any, hook: str) -> None:
    settings.WEBHOOK = hook
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING)
    assert not announcing.tell(job.pk)
    assert Hook.told == []
