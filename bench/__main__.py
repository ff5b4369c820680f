"""Measure searches and tables against their peers, in one run: `python -m bench [--archs N] [--work FOLDER]`."""

import argparse
import tempfile
from pathlib import Path

from bench import search, tables
from bench.report import print_report


def main() -> None:
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("--archs", type=int, default=15_625, help="size of the archive that is made (15625)")
    parser.add_argument("--work", type=Path, help="where it is made and kept (a temporary folder, removed)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="natslib-bench-") as temporary:
        print_report(search.measure())  # first: its peak of memory is that of the whole process
        print_report(tables.measure(args.work or Path(temporary), args.archs))


if __name__ == "__main__":
    main()
