"""Build the static site: `python -m natslib.site [OUT] [CONFIG]`, by default results/site of config/default.yaml."""

import sys
from pathlib import Path

from natslib.errors import NatslibError
from natslib.site.build import Site
from natslib.site.contents import read_contents
from natslib.workflow.config import CONFIG
from natslib.workflow.paths import from_root

OUT = "results/site"


def main(out: str = OUT, config: str = CONFIG) -> int:
    """Build it and say where it is and what is missing; 1 where the configuration cannot be read."""
    try:
        contents = read_contents(config)
        site = Site(contents, from_root(Path(out).absolute()))
        site.build()
    except NatslibError as error:
        print(error, file=sys.stderr)
        return 1
    missing = f", {len(contents.holes)} figures missing" if contents.holes else ""
    print(f"{site.out / 'index.html'}: {len(contents.catalogue)} items{missing}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
