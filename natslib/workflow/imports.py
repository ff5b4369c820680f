"""The library files that a notebook or module imports, for a rule's inputs: Snakemake sees no imports by itself."""

import ast
import functools
import json
from collections.abc import Iterator
from pathlib import Path


def imported_sources(importer: str | Path, root: str | Path = ".") -> list[str]:
    """Return the files of natslib that a notebook or module imports, directly or through natslib.

    Paths, given and returned, are relative to `root`; the returned ones are sorted.
    """
    base = Path(root)
    waiting = set(_imports(base / importer))
    found: set[Path] = set()
    while waiting:
        files = _files(waiting.pop(), base) - found
        found |= files
        for path in files:
            waiting |= _imports(path)
    return sorted(str(path.relative_to(base)) for path in found)


@functools.cache
def _imports(path: Path) -> frozenset[str]:
    """Return the dotted natslib names that a file imports when it runs; of `from a import b` both `a` and `a.b`."""
    names: set[str] = set()
    for node in _run(ast.parse(_code(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(name for name in names if name.split(".")[0] == "natslib")


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Return the statements of a module without what stands under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not for_types and not isinstance(node, ast.expr):
            yield node
            yield from _run(node)


def _code(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@functools.cache
def _files(module: str, base: Path) -> frozenset[Path]:
    """Return the files that importing `module` runs: its own and the `__init__` of every package above it."""
    parts = module.split(".")
    packages = [base.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    own = base.joinpath(*parts[:-1], f"{parts[-1]}.py")
    return frozenset(path for path in (*packages, own) if path.is_file())
