"""`python -m stylizer.training`: the same as `python -m stylizer train`."""

from __future__ import annotations

import argparse
import sys

from stylizer.training.cli import add_arguments, run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m stylizer train")
    add_arguments(parser)
    sys.exit(run(parser.parse_args()))
