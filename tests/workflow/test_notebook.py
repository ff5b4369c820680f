import json
import sys

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError

from natslib.errors import ConfigError, UnknownName
from natslib.workflow.notebook import check_parameters, failure, run_notebook

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
SAY = "import json, sys; print(json.dumps([steps, name, sys.executable]))"


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook whose parameters are `steps` and `name`, with one more cell of code."""

    def write(code, tags=("parameters",)):
        parameters = nbformat.v4.new_code_cell(
            "steps: int = 1  # how many\nname: str = 'a'", metadata={"tags": list(tags)}
        )
        cells = [parameters, nbformat.v4.new_code_cell(code)]
        path = tmp_path / "book.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), path)
        return path

    return write


def printed(executed):
    return json.loads(nbformat.read(executed, as_version=4).cells[-1].outputs[0].text)


def test_values_keep_their_types_and_the_kernel_is_this_interpreter(notebook, tmp_path, monkeypatch):
    hostile = tmp_path / "jupyter" / "kernels" / "python3"
    hostile.mkdir(parents=True)
    spec = {
        "argv": ["/bin/false", "{connection_file}"],
        "display_name": "somebody else's",
        "language": "python",
    }
    (hostile / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    run_notebook(notebook(SAY), tmp_path / "new" / "executed.ipynb", {"steps": 7, "name": "it's 7"})
    assert printed(tmp_path / "new" / "executed.ipynb") == [7, "it's 7", sys.executable]


def test_a_failure_leaves_the_executed_notebook(notebook, tmp_path):
    executed = tmp_path / "executed.ipynb"
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError"):
        run_notebook(notebook("print('before'); 1 / 0"), executed, {})
    assert "before" in executed.read_text()
    cell = nbformat.read(tmp_path / "book.ipynb", as_version=4).cells[-1].id
    assert failure(executed) == f"cell {cell} (In [2]): ZeroDivisionError: division by zero"


def test_a_notebook_that_ran_to_its_end_has_no_failure(notebook):
    assert failure(notebook("1")) == ""


def test_an_unknown_parameter_stops_it_before_the_kernel(notebook, tmp_path):
    executed = tmp_path / "executed.ipynb"
    with pytest.raises(UnknownName, match=r"'step': allowed are 'steps', 'name'; did you mean 'steps'\?"):
        run_notebook(notebook(SAY), executed, {"step": 7})
    assert not executed.exists()


def test_a_notebook_without_parameters_is_refused(notebook):
    with pytest.raises(ConfigError, match="no cell tagged 'parameters'"):
        check_parameters(notebook(SAY, tags=()), [])
