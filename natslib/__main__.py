"""`python -m natslib` is the command `natslib`."""

import sys

from natslib.commands import main

if __name__ == "__main__":
    sys.exit(main())
