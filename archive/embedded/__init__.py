"""A private PostgreSQL and a private Redis for a machine that has neither.

Their addresses follow from PALIMPSEST_HOME alone, so every command run on one archive finds the same servers, and two
archives on one machine are not in each other's way. The database lies in HOME/postgres and stays between runs; Redis
keeps nothing, because the rows are the truth. Nobody else gets in: there is no TCP port, the sockets lie in a folder
of mode 0700, and PostgreSQL asks the kernel who is calling ("peer").

Each server has a keeper, a small process that starts it, starts it again when it dies, and stops it when nobody uses
it any more. Whoever uses a server holds a shared lock on a file; the kernel drops a lock with its holder, however that
ends, so that nothing is left running after Ctrl-C, SIGTERM or SIGKILL.
"""

from archive.embedded.addresses import Addresses, EmbeddedProblem
from archive.embedded.servers import Servers

__all__ = ["Addresses", "EmbeddedProblem", "Servers"]
