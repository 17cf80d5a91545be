"""As whom the servers run: as ourselves, or as an unprivileged user when root started them."""

import ctypes
import os
import pwd
import shutil
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive.embedded.addresses import EmbeddedProblem

PR_SET_PDEATHSIG = 1
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Identity:
    """A user a server runs as. `changed` says that it is not the user who started it."""

    uid: int
    gid: int
    changed: bool

    @classmethod
    def for_servers(cls) -> "Identity":
        if os.geteuid():
            return cls(os.geteuid(), os.getegid(), changed=False)
        try:
            user = pwd.getpwnam(UNPRIVILEGED)
        except KeyError as error:
            raise EmbeddedProblem(
                f"PostgreSQL refuses to run as root, and there is no user {UNPRIVILEGED!r} to run it as. "
                f"Start Palimpsest as another user, or set DATABASE_URL and REDIS_URL."
            ) from error
        return cls(user.pw_uid, user.pw_gid, changed=True)

    def own(self, path: Path) -> None:
        """Hand a path, and everything below it, to this user."""
        if not self.changed:
            return
        for folder, _folders, files in os.walk(path):
            os.chown(folder, self.uid, self.gid)
            for name in files:
                os.chown(os.path.join(folder, name), self.uid, self.gid, follow_symlinks=False)

    def can_run(self, program: Path) -> bool:
        """May this user reach and execute a program? (Only asked when it is not our own user.)"""
        others_may = all(folder.stat().st_mode & stat.S_IXOTH for folder in program.parents)
        return others_may and bool(program.stat().st_mode & stat.S_IXOTH)

    def reachable(self, program: Path, *, needs: tuple[Path, ...], copies: Path) -> Path:
        """Return where this user can run a program: its own place, or that in a copy beside the sockets.

        A virtual environment may lie below a folder that only root may enter. Rather than open that up, what the
        program `needs` (folders, itself within one of them) is copied, each as far from the others as it was, since
        they find each other by relative paths. The copy goes when the server stops.
        """
        if not self.changed or self.can_run(program):
            return program
        base = Path(os.path.commonpath(needs)) if len(needs) > 1 else needs[0].parent
        if not copies.exists():
            draft = copies.with_name(f"{copies.name}.{os.getpid()}")
            for folder in needs:
                ignored = shutil.ignore_patterns("include", "*.a")
                shutil.copytree(folder, draft / folder.relative_to(base), symlinks=True, ignore=ignored)
            self.own(draft)
            draft.rename(copies)
        return copies / program.relative_to(base)

    @property
    def user(self) -> int | None:
        """For `subprocess`: None keeps our own."""
        return self.uid if self.changed else None

    @property
    def group(self) -> int | None:
        return self.gid if self.changed else None

    @property
    def groups(self) -> list[int] | None:
        """No other groups: root's must not come along."""
        return [] if self.changed else None


def die_with_parent(last_wish: signal.Signals, *, parent: int | None = None) -> Callable[[], None]:
    """What a child does before it becomes its program: ask the kernel for a signal when its parent dies.

    For `preexec_fn` (then the parent is whoever calls this), which runs after the user was changed: a change of user
    would clear the request. Only Linux knows it; elsewhere a parent that is killed leaves its children behind.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    parent = os.getpid() if parent is None else parent

    def wish() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, int(last_wish), 0, 0, 0)
        if os.getppid() != parent:  # it died in the meantime, and its death will not be signalled any more
            os._exit(1)

    return wish


def plain_environment() -> dict[str, str]:
    """What a server gets of our environment: nothing that could change its language, clock or secrets."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "TZ": "UTC"}
