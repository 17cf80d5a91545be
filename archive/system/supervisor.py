"""The processes of one archive side by side: honcho, which also starts again what died."""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from honcho import manager as honcho_manager
from honcho.process import Popen, Process

from archive.embedded.identity import die_with_parent

PATIENCE = 10  # seconds from SIGTERM to SIGKILL
SLOWEST = 10.0  # seconds between two starts at most
SETTLED = 30.0  # seconds after which a start counts as a success


@dataclass(frozen=True)
class Program:
    """One line of what runs. `once`: it may end, and is not started again."""

    name: str
    command: str
    once: bool = False
    environment: tuple[tuple[str, str], ...] = ()


class Closing:
    """Set once, seen by every process forked since: a byte in a pipe that nobody reads.

    An event of multiprocessing has a lock. A thread that ends with its process may take that lock along, and then
    nobody can ever be told to stop.
    """

    def __init__(self) -> None:
        self._seen, self._told = os.pipe()

    def set(self) -> None:
        os.write(self._told, b".")

    def wait(self, seconds: float | None = None) -> bool:
        """Until it is set, or so long; is it?"""
        return bool(select.select([self._seen], [], [], seconds)[0])

    def is_set(self) -> bool:
        return self.wait(0)


class Lasting(Process):  # type: ignore[misc]
    """A process that is started again when it dies, until the archive closes.

    Honcho stops everything when one process ends. A worker killed for want of memory must not take the web with it,
    so an end is only reported once the archive closes.
    """

    closing: Closing
    once: bool
    parent: int

    def run(self, events: object = None, ignore_signals: bool = False) -> None:
        """Runs in a process of its own (honcho's), which ends with the supervisor, however that ends."""
        die_with_parent(signal.SIGKILL, parent=self.parent)()
        self._child_ctor = tied_popen
        threading.Thread(target=self._stop_when_closing, daemon=True).start()
        wait = 0.5
        while True:
            started = time.monotonic()
            super().run(events, ignore_signals)
            wait = 0.5 if time.monotonic() - started > SETTLED else min(wait * 2, SLOWEST)
            if self.once or self.closing.wait(wait):
                break
        self.closing.wait()
        super()._send_message({"returncode": 0}, type="stop")

    def _stop_when_closing(self) -> None:
        """Only this process knows at any moment which child is the present one; one that is being started just now is
        told as soon as it is known, each of them once."""
        self.closing.wait()
        told = None
        while True:  # ends with the process
            child = self._child
            if child is not None and child.pid != told:
                told = child.pid
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(told, signal.SIGTERM)
            time.sleep(0.05)

    def _send_message(self, data: object, type: str = "line") -> None:
        if type != "stop":
            super()._send_message(data, type)
        elif not self.closing.is_set():
            outcome = "ended" if self.once else "ended and will be started again"
            super()._send_message(f"{outcome}: {data}\n")


def tied_popen(command: str, **options: object) -> Popen:
    """A child that is told to stop when the process that looks after it dies."""
    tie = die_with_parent(signal.SIGTERM)

    def before_it_runs() -> None:
        # Honcho's process ignores both, and what is ignored stays so in a child: it could never be asked to stop.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        tie()

    return Popen(command, preexec_fn=before_it_runs, **options)


class Supervisor(honcho_manager.Manager):  # type: ignore[misc]
    """Runs programs until Ctrl-C or SIGTERM, then stops every one of them."""

    def __init__(self, *, on_started: Callable[[], None]) -> None:
        honcho_manager.KILL_WAIT = PATIENCE
        super().__init__()
        self._process_ctor = Lasting
        self.closing = Closing()
        self.on_started = on_started

    def add(self, program: Program) -> None:
        environment = os.environ | dict(program.environment)
        added = self.add_process(program.name, program.command, env=environment)
        added.closing, added.once, added.parent = self.closing, program.once, os.getpid()

    def terminate(self) -> None:
        """Tell everything to stop, and start nothing again. What does not stop in time is killed by the loop."""
        self._terminating = True
        self.closing.set()

    def _start(self) -> None:
        super()._start()
        self.on_started()  # after the forks: a thread must not be copied half way through something
