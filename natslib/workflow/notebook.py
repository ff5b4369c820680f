"""Run one notebook with papermill: typed parameters, names checked first, always this interpreter's kernel."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from natslib.errors import ConfigError, unknown_name

Value = bool | int | float | str | list | dict | None


class OwnKernel(AsyncKernelManager):
    """Starts the interpreter that runs this code, whatever kernels are registered on the machine."""

    @default("kernel_spec_manager")
    def _only_the_native_spec(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])

    @default("transport_encryption")
    def _encrypted_where_the_kernel_can(self) -> str:
        return "auto"


def run_notebook(notebook: Path, executed: Path, parameters: Mapping[str, Value]) -> None:
    """Run `notebook` with `parameters` in the working directory and write it, outputs included, to `executed`.

    A failing cell raises papermill's error; `executed` then holds everything up to it and the traceback.
    Raises UnknownName, before a kernel starts, for a parameter that the notebook does not declare.
    """
    check_parameters(notebook, parameters)
    executed.parent.mkdir(parents=True, exist_ok=True)
    papermill.execute_notebook(
        notebook,
        executed,
        parameters=dict(parameters),
        kernel_name="python3",
        kernel_manager_class=OwnKernel,
        progress_bar=False,
    )


def failure(executed: Path) -> str:
    """Return in which cell an executed notebook stopped and by which error; "" where it ran to its end."""
    for cell in nbformat.read(executed, as_version=4).cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                return f"cell {cell.get('id', '')} (In [{cell.execution_count}]): {output.ename}: {output.evalue}"
    return ""


def check_parameters(notebook: Path, names: Iterable[str]) -> None:
    """Raise UnknownName for a name that `notebook` does not declare, ConfigError if it declares none at all."""
    declared = papermill.inspect_notebook(notebook)
    if not declared:
        raise ConfigError(
            f"{notebook}: no cell tagged 'parameters', or nothing in it that papermill can read"
        )
    for name in names:
        if name not in declared:
            raise unknown_name(f"parameter of {notebook}", name, declared)
