"""`manage.py up`: the whole archive on one machine, until Ctrl-C."""

import importlib.util
import os
import secrets
import shlex
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from archive.embedded import EmbeddedProblem, Servers
from archive.env import Env
from archive.system.supervisor import Program, Supervisor

SIGN_INS = (("ada", "archivist"), ("cai", "curator"), ("odo", "admin"), ("rea", "reader"))
LOOK_AFTER = 2.0  # seconds between two looks at the private servers


class Command(BaseCommand):
    help = "Starts the private servers, migrates, and runs web, workers and scheduler until Ctrl-C."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        env = Env()
        bind, port = env.text("PALIMPSEST_BIND", "127.0.0.1"), env.whole("PORT", 8000, least=1)
        own_database = not env.text("DATABASE_URL", "")
        try:
            with Servers(
                settings.EMBEDDED, postgres=own_database, redis=not env.text("REDIS_URL", "")
            ) as servers:
                call_command("migrate", interactive=False, verbosity=0)
                demo = Demonstration(settings.HOME) if own_database and "demo" in get_commands() else None
                supervisor = Supervisor(
                    on_started=lambda: look_after(servers, banner(port, demo), bind, port)
                )
                for program in programs(bind, port, demo):
                    supervisor.add(program)
                supervisor.loop()
        except EmbeddedProblem as problem:
            raise CommandError(str(problem)) from problem
        # Ctrl-C and SIGTERM are how it is meant to end.
        sys.exit(0 if supervisor.returncode in {0, 130, 143} else supervisor.returncode)


class Demonstration:
    """The demonstration archive of a first start: seeded once, with one password that is told at every start."""

    def __init__(self, home: Path) -> None:
        self.seeded = home / "demonstration-seeded"
        self.file = home / "demonstration-password"

    def password(self) -> str:
        if chosen := os.environ.get("PALIMPSEST_DEMO_PASSWORD", ""):
            if not self.seeded.exists():
                self._keep(chosen)
                return chosen
        elif not self.file.exists():
            self._keep(secrets.token_urlsafe(9))
        return self.file.read_text(encoding="utf-8").strip() if self.file.exists() else chosen

    def _keep(self, password: str) -> None:
        self.file.touch(mode=0o600)
        self.file.write_text(password, encoding="utf-8")


def web(bind: str, port: int, *, workers: int = 1, threads: int = 8) -> list[str]:
    """The command of the web process."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", bind, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(threads), "--respawn-failed-workers",
        "--log-level", "error", "archive.wsgi:application",
    ]  # fmt: skip


def programs(bind: str, port: int, demo: Demonstration | None) -> list[Program]:
    """What runs, in the order of its appearance on the screen."""
    python = shlex.quote(sys.executable)
    celery = f"exec {python} -m celery --quiet"
    quiet = "--loglevel WARNING --without-gossip --without-mingle"
    found = [
        Program(
            "web",
            f"exec {shlex.join(web(bind, port))}",
        ),
        Program(
            "io", f"{celery} -A workers.io:app worker -Q io --pool threads --concurrency 2 -n io@%h {quiet}"
        ),
        Program("beat", f"{celery} -A archive.celery:app beat --loglevel WARNING"),
    ]
    if importlib.util.find_spec("torch"):
        found.append(
            Program("stylizer", f"{celery} -A workers.gpu:app worker -Q gpu --pool solo -n gpu@%h {quiet}")
        )
    else:
        sys.stdout.write(
            "No stylizer worker: torch is not installed here. Jobs wait for a worker elsewhere.\n"
        )
    if demo and not demo.seeded.exists():
        manage = f"{python} {shlex.quote(str(settings.ROOT / 'manage.py'))} demo"
        seed = f"nice -n 5 {manage} && touch {shlex.quote(str(demo.seeded))}"
        environment = (("PALIMPSEST_DEMO_PASSWORD", demo.password()),)
        found.append(Program("demo", seed, once=True, environment=environment))
    return found


def banner(port: int, demo: Demonstration | None) -> str:
    lines = [f"Palimpsest is at http://localhost:{port}/ (Ctrl-C stops it)."]
    if demo:
        names = ", ".join(f"{name} ({role})" for name, role in SIGN_INS)
        lines.append(f"Demonstration sign-ins: {names}; password: {demo.password()}")
    return "\n".join(lines)


def look_after(servers: Servers, welcome: str, bind: str, port: int) -> None:
    """In a thread: say where the archive is once it answers, then see to it that the servers keep their keepers."""

    def look() -> None:
        pause, told = threading.Event(), False
        while not pause.wait(LOOK_AFTER if told else 0.3):
            if not told and answers("127.0.0.1" if bind in {"", "0.0.0.0"} else bind, port):  # noqa: S104
                told = True
                sys.stdout.write(f"\n{welcome}\n\n")
                sys.stdout.flush()
            try:
                servers.mend()
            except EmbeddedProblem as problem:
                sys.stderr.write(f"{problem}\n")

    threading.Thread(target=look, name="look-after", daemon=True).start()


def answers(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health/live", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
