"""What was drawn, for reading: the table of the index notebook, and the static site (`python -m natslib.site`)."""

from natslib.site.contents import Contents, read_contents
from natslib.site.overview import Overview

__all__ = ["Contents", "Overview", "read_contents"]
