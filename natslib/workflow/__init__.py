"""The thin edge to papermill and Snakemake: project paths, the checked configuration, running one notebook.

Importing it needs neither of the two; `notebook` and `draw` import papermill. rules run `job`, `draw`, `join`.
"""

from natslib.workflow.paths import from_root, project_root

__all__ = ["from_root", "project_root"]
