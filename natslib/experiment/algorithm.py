"""Algorithms by name: the registered ones, and a function in a file of one's own."""

import importlib.util
from pathlib import Path

from natslib.errors import BadSource, ConfigError
from natslib.search import SearchFunction, get_search


def find_search(name: str) -> tuple[str, str | SearchFunction]:
    """Return a short name and the search: `name` is one of `natslib.search.SEARCHES` or "FILE.py:FUNCTION".

    The file is run to get at the function, so it should be one that you trust. Raises `UnknownName`, `BadSource` for a
    file that cannot be run and `ConfigError` where it has no such function.
    """
    file, colon, function = name.rpartition(":")
    if not colon or not file.endswith(".py"):
        get_search(name)
        return name, name
    return function, function_in(Path(file), function)


def function_in(path: Path, name: str) -> SearchFunction:
    """Run a Python file and return its function of that name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadSource(f"{path}: no Python file to take an algorithm from")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a stranger's code: whatever it raises, the file is what is wrong
        raise BadSource(f"{path}: does not run ({type(error).__name__}: {error})") from error
    function = getattr(module, name, None)
    if not callable(function):
        functions = [
            key for key, value in vars(module).items() if callable(value) and not key.startswith("_")
        ]
        raise ConfigError(f"{path} has no function {name!r}; it has {', '.join(functions) or 'none'}")
    return function
