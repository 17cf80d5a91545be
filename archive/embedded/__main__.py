"""`python -m archive.embedded`: the keeper of one private server."""

import sys

from archive.embedded.keeper import main

sys.exit(main(sys.argv[1:]))
