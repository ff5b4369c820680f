"""The pages on the Python interface, made of docstrings by pdoc: the names that the packages say are for others."""

import re
import warnings
from pathlib import Path

from natslib.site.render import HERE, plain

PACKAGES = (
    "natslib",
    "natslib.spaces",
    "natslib.tables",
    "natslib.search",
    "natslib.weight_sharing",
    "natslib.nets",
    "natslib.training",
    "natslib.analysis",
    "natslib.plots",
)


def write_api(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Write a page a module into `folder`; return the first line and the names of each, by its page's path in it."""
    import pdoc

    pdoc.render.configure(show_source=False, search=False, template_directory=HERE / "templates" / "api")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of annotations that name stubs, which pdoc shows as they are written
        pdoc.pdoc(*PACKAGES, output_directory=folder)
    named = {
        ".".join(path.relative_to(folder).with_suffix("").parts): path for path in folder.rglob("*.html")
    }
    return {
        named[name].relative_to(folder).as_posix(): _told(named[name].read_text(encoding="utf-8"))
        for name in sorted(named.keys() - {"index"})
    }


def _told(page: str) -> tuple[str, list[str]]:
    first = re.search(r'<div class="docstring">\s*<p>(.*?)</p>', page, flags=re.S)
    return plain(first[1]) if first else "", re.findall(r'<section id="([^"]+)"', page)
