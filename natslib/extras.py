"""What is installed only where it is needed, and how to get it."""

EXTRAS = {
    **dict.fromkeys(("torch", "torchvision", "sklearn", "PIL", "pooch"), "train"),
    **dict.fromkeys(
        (
            "scipy",
            "matplotlib",
            "seaborn",
            "jinja2",
            "tabulate",
            "IPython",
            "ipywidgets",
            "nbclient",
            "papermill",
        ),
        "notebooks",
    ),
    **dict.fromkeys(("snakemake", "jsonschema"), "workflow"),
    **dict.fromkeys(("nbconvert", "pdoc"), "site"),
    "optuna": "search",
    "gdown": "fetch",
    "shtab": "completion",
}
"""The extra of pyproject.toml that brings a package, by the package's name in Python."""


def how_to_get(error: ModuleNotFoundError) -> str:
    """Return which package is missing and what installs it: "the package torch is missing; pip install ..."."""
    name = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(name)
    wanted = f"'natslib[{extra}]'" if extra else name
    return f"the package {name} is missing; pip install {wanted}"
