"""Where the project lies, so that a notebook finds the same files whatever folder its kernel was started in."""

from pathlib import Path


def project_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (the working directory) that holds a Snakefile, else `start`.

    A kernel starts in the notebook's folder under JupyterLab and nbval, in the project's under the workflow.
    """
    folder = (start or Path.cwd()).resolve()
    return next((each for each in (folder, *folder.parents) if (each / "Snakefile").is_file()), folder)


def from_root(path: str | Path) -> Path:
    """Return `path` as an absolute path; a relative one is meant from the project's root, `~` from the user's home."""
    return project_root() / Path(path).expanduser()
