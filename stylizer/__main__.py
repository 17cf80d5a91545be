"""`python -m stylizer`."""

import signal
import sys

from stylizer.cli import main

if __name__ == "__main__":
    # SIGTERM as Ctrl-C: what is half made is cleared away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
