"""The thin edge to papermill and Snakemake: project paths, the checked configuration, running one notebook.

Importing it needs neither of the two; `natslib.workflow.notebook` imports papermill, `execute.py` is run by Snakemake.
"""

from natslib.workflow.paths import from_root, project_root

__all__ = ["from_root", "project_root"]
