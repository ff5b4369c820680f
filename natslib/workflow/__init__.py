"""The thin edge to papermill and Snakemake: project paths, the checked configuration, running one notebook.

Importing it needs neither of the two; `notebook` and `draw` import papermill. rules run `job`, `draw`, `join`.
"""

import sys

from natslib.workflow.paths import from_root, project_root

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # jsonschema would build its grammars: 2 s
__all__ = ["from_root", "project_root"]
