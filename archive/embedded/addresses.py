"""Where the private servers of one archive are: everything follows from its home folder."""

import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

DATABASE = ROLE = "palimpsest"
LONGEST_SOCKET_PATH = 107  # bytes; the kernel's limit


class EmbeddedProblem(Exception):
    """A private server cannot be had; the sentence says which, why, and what to do or set instead."""


@dataclass(frozen=True)
class Addresses:
    """The private servers of the archive in `home`: their files and their sockets, whether they run or not."""

    home: Path
    sockets: Path

    @classmethod
    def of(cls, home: Path) -> "Addresses":
        """Name the sockets' folder after the user and the home folder, so that two archives never share one.

        It is short, because a home folder may be deeper than a socket's path may be long. It does not depend on
        XDG_RUNTIME_DIR or TMPDIR, which may differ between two shells of one person.
        """
        home = home.resolve()
        mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        # Only root may write to /run, so nobody can be there first; `claim_sockets` looks after /tmp.
        base = Path("/run") if os.geteuid() == 0 and os.access("/run", os.W_OK) else Path("/tmp")  # noqa: S108
        return cls(home=home, sockets=base / f"palimpsest-{os.geteuid()}-{mark}")

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def locks(self) -> Path:
        return self.home / "run"

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"

    def database_url(self, name: str = DATABASE) -> str:
        return f"postgresql://{ROLE}@/{name}?host={quote(str(self.sockets), safe='')}"

    def redis_url(self, number: int = 0) -> str:
        return f"unix://{self.redis_socket}?db={number}"

    def secret_key(self) -> str:
        """This archive's own secret, made on first use, in a file that only its owner can read."""
        path = self.home / "secret-key"
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write_once(path, secrets.token_urlsafe(50))
            return path.read_text(encoding="ascii").strip()
        except OSError as error:
            raise EmbeddedProblem(
                f"PALIMPSEST_HOME: expected a folder that keeps a secret, got {self.home} ({error.strerror}). "
                f"Name a writable folder, or set PALIMPSEST_SECRET_KEY."
            ) from error

    def claim_sockets(self, *, owner: int, group: int) -> None:
        """Make the folder of the sockets for this owner alone.

        Raises:
            EmbeddedProblem: somebody else left something there, or its path is too long.
        """
        if len(os.fsencode(self.sockets / ".s.PGSQL.5432.lock")) > LONGEST_SOCKET_PATH:
            raise EmbeddedProblem(
                f"{self.sockets}: too long for a socket, at most {LONGEST_SOCKET_PATH} bytes."
            )
        found = self._claimed(owner, group)
        mode = stat.S_IMODE(found.st_mode)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or mode != 0o700:
            raise EmbeddedProblem(
                f"{self.sockets}: expected a folder of mode 0700 that belongs to user {owner}, got mode {mode:04o} "
                f"and user {found.st_uid}. Remove it and start again."
            )

    def _claimed(self, owner: int, group: int) -> os.stat_result:
        while True:
            # Given to its owner before it gets its name: the other server's keeper may look at any moment.
            draft = self.sockets.with_name(f"{self.sockets.name}.{os.getpid()}")
            draft.mkdir(mode=0o700)
            os.chown(draft, owner, group)
            try:
                draft.rename(self.sockets)  # replaces an empty folder, which is as good
            except OSError:
                draft.rmdir()
            try:
                return self.sockets.lstat()
            except FileNotFoundError:
                continue  # the other server's keeper was just leaving, and took the empty folder with it


def _write_once(path: Path, text: str) -> None:
    """Two commands may start together: the first one's secret counts, and none is ever seen half written."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="ascii")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
