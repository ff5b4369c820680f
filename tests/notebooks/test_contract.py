"""What every notebook keeps to, so that it runs unchanged by hand, under nbval and under papermill."""

import ast
import html
import json
import re
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pandas as pd
import papermill
import pytest
from PIL import Image

from natslib.plots.figure import DPI, ONE_COLUMN, TWO_COLUMNS
from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.notebook import run_notebook
from natslib.workflow.parameters import CHECKS
from tests.notebooks.metadata import METADATA

ROOT = Path(__file__).resolve().parents[2]
INDEX = "00_index"
INDEX_LINK = f"[All notebooks]({INDEX}.ipynb)"
EVERY = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = [path for path in EVERY if path.stem != INDEX]  # each draws an item
CHECK = "nbval-check-output"
MAX_CODE_LINES = 60  # after the parameters
SAVED = (".svg", ".pdf", ".png", ".csv", ".json")
OPENING = ("**Claim.** ", "**Data.** ", "**How to read.** ", "**Differences from the paper.** ")
OPENING_WORDS = 120
# The columns of every figure's numbers: two figures that are saved under each other's name show here.
COLUMNS = Path(__file__).with_name("recorded_columns.json")
REFRESH = "python -m tests.notebooks.test_contract"
# What the members of `Parameters` read besides the parameters that a notebook names.
REACHED = {
    "source": {"table"},
    "how": {"runs", "seed", "processes", "trajectories"},
    "records": {"searches", "settings", "dataset"},
    "read_records": {"searches", "settings", "dataset", "methods"},
    "own_table": {"own"},
}
# The one notebook whose subject is a function: it defines that one search, a generator with its loop, and nothing else.
OWN_SEARCH = "10_your_algorithm"
OWN_SEARCH_LINES = 10


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


@pytest.fixture
def code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


@pytest.fixture
def nodes(code):
    return [node for cell in code for node in ast.walk(ast.parse(cell.source))]


def tags(cell):
    return cell.metadata.get("tags", [])


def parameter_cells(code):
    return [cell for cell in code if "parameters" in tags(cell)]


def outputs(parameters):
    """Return the parameters that say where figures, and a leaderboard entry, go."""
    places = ("figure", "entry")
    return {name: value for name, value in parameters.items() if name.startswith(places)}


def figures(parameters):
    return {name: value for name, value in outputs(parameters).items() if name.startswith("figure")}


def inputs(parameters):
    """Return the parameters that name a table of the project, whose place another folder does not tell."""
    return {name: str(ROOT / value) for name, value in parameters.items() if str(value).startswith("logs/")}


def is_asked(node):
    return isinstance(node, ast.Name) and node.id == "asked"


def calls_of_asked(nodes):
    """Return the calls of methods of the checked parameters."""
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [call for call in calls if is_asked(call.func.value)]


def functions(code):
    return [
        node for cell in code for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)
    ]


@pytest.fixture
def others(path, code, nodes):
    """The syntax of a notebook, without the first function of the one notebook that may define one."""
    defined = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    excepted = set(ast.walk(defined[0])) if path.stem == OWN_SEARCH and defined else set()
    return [node for node in nodes if node not in excepted]


def defaults(path):
    return {
        name: ast.literal_eval(each["default"]) for name, each in papermill.inspect_notebook(path).items()
    }


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_named_by_number_and_paper_item(path):
    assert re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem)


def test_opens_with_claim_data_how_to_read_and_differences(cells):
    title, *paragraphs = cells[0].source.split("\n\n")
    assert title.startswith("# ")
    assert [text.startswith(start) for text, start in zip(paragraphs, OPENING, strict=True)] == [True] * 4
    before = [cell.source for cell in cells[: [cell.cell_type for cell in cells].index("code")]]
    before = [text for text in before if text != INDEX_LINK]
    assert len(" ".join(before).split()) < OPENING_WORDS


def test_every_parameter_is_known_and_used(path, nodes):
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute) and is_asked(node.value)}
    used |= {name for reached in used & set(REACHED) for name in REACHED[reached]}
    for call in calls_of_asked(nodes):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        used |= {value.value for value in given if isinstance(value, ast.Constant)}
    for name in papermill.inspect_notebook(path):
        known = name in CHECKS or name.startswith("figure")
        assert known, f"no check for {name} in natslib/workflow/parameters.py"
        assert name in used, f"{name} is declared and not used"


def test_figures_are_saved_in_the_order_of_their_parameters(path, code):
    calls = [call for cell in code for call in calls_of_asked(ast.walk(ast.parse(cell.source)))]
    stems = [call.args[0].value for call in calls if call.func.attr == "stem"]
    assert stems == list(figures(defaults(path)))


def test_parameters_are_checked_in_one_call_right_after_they_are_declared(code):
    after = code[code.index(parameter_cells(code)[0]) + 1 :]
    checks = [cell for cell in after if "asked = parameters.check(globals())" in cell.source]
    assert len(checks) == 1
    assert not [cell for cell in after[: after.index(checks[0])] if "def " not in cell.source]


def test_starts_with_prose_then_imports_then_parameters(cells, code):
    assert cells[0].cell_type == "markdown"
    assert len(parameter_cells(code)) == 1
    before = code[: code.index(parameter_cells(code)[0])]
    statements = [node for cell in before for node in ast.parse(cell.source).body]
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in statements)


def test_all_imports_stand_before_the_parameters(code):
    after = code[code.index(parameter_cells(code)[0]) :]
    nodes = [node for cell in after for node in ast.walk(ast.parse(cell.source))]
    assert not [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def test_is_short(code):
    after = code[code.index(parameter_cells(code)[0]) + 1 :]
    lines = [line.strip() for cell in after for line in cell.source.splitlines()]
    assert len([line for line in lines if line and not line.startswith("#")]) <= MAX_CODE_LINES


def test_is_plain_python(path, code):
    for cell in code:  # a magic or a shell escape is no Python
        ast.parse(cell.source, filename=f"{path.name}: {cell.source.splitlines()[0]}")


def test_defines_nothing(others):
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    assert not [ast.unparse(node) for node in others if isinstance(node, definitions)]


def test_the_excepted_notebook_defines_one_short_search():
    cells = nbformat.read(ROOT / "notebooks" / f"{OWN_SEARCH}.ipynb", as_version=4).cells
    (search,) = functions([cell for cell in cells if cell.cell_type == "code"])
    assert [argument.arg for argument in search.args.args] == ["space", "rng"]
    assert any(isinstance(node, ast.Yield) for node in ast.walk(search))
    assert len(ast.unparse(search).splitlines()) <= OWN_SEARCH_LINES


def test_trains_nothing(nodes, others):
    imported = {
        alias.name.partition(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {
        node.module.partition(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module
    }
    assert "torch" not in imported
    assert not [ast.unparse(node) for node in others if isinstance(node, ast.While)]


def test_knows_no_snakemake(nodes):
    assert not [node for node in nodes if isinstance(node, ast.Name) and node.id == "snakemake"]


def test_holds_no_absolute_path(nodes):
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in strings if re.match(r"/\w|~|[A-Za-z]:[\\/]|\w+://", text)]


def test_papermill_reads_every_parameter(path, code):
    statements = ast.parse(parameter_cells(code)[0].source).body
    assert all(isinstance(node, ast.AnnAssign) for node in statements), "parameters are annotated literals"
    assert list(papermill.inspect_notebook(path)) == [ast.unparse(node.target) for node in statements]
    assert defaults(path) == {node.target.id: ast.literal_eval(node.value) for node in statements}


def test_every_parameter_line_has_one_equals_sign_and_a_comment(code):
    for line in parameter_cells(code)[0].source.splitlines():
        assert line.count("=") == 1, line
        assert re.search(r"\s#\s\S", line), line


def test_figures_go_to_results_by_default(path):
    assert figures(defaults(path))
    assert all(stem.startswith("results/") for stem in outputs(defaults(path)).values())


def test_checks_something(code):
    checks = [cell for cell in code if CHECK in tags(cell)]
    assert checks
    for cell in checks:
        assert "keep_output" in tags(cell), f"stripping would empty it: {cell.source}"
        assert cell.outputs, f"run it and keep its output: {cell.source}"
        assert cell.execution_count is not None, f"nbval skips it without its count: {cell.source}"


def test_is_stripped_but_for_the_checks(code):
    for cell in code:
        assert CHECK in tags(cell) or not cell.outputs, f"strip it: {cell.source}"


def test_what_draws_is_folded_so_that_the_picture_comes_first(code):
    checks = [cell for cell in code if "keep_output" in cell.metadata.get("tags", [])]
    for cell in code:
        drawing = "plots.save(" in cell.source and cell not in checks
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == drawing


def test_says_where_a_reader_can_choose(cells):
    for before, cell in pairwise(cells):
        if "plots.choose(" in cell.source:
            assert before.source.startswith("In JupyterLab, choose here ")


def test_holds_no_picture(code):
    kinds = {kind for cell in code for output in cell.outputs for kind in output.get("data", {})}
    assert kinds <= {"text/plain", "text/html"}, (
        "a check shows text and tables; pictures do not belong in the repository"
    )


def test_rows_are_shown_as_tables(code):
    assert not [cell.source for cell in code if ".to_string(" in cell.source], "plots.show_table shows them"


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_has_the_metadata_that_jupyterlab_completes(path):
    assert nbformat.read(path, as_version=4).metadata == METADATA, "`make format` mends it"


def test_leads_to_the_index(cells):
    assert INDEX_LINK in [cell.source for cell in cells]


@pytest.fixture
def index():
    return nbformat.read(ROOT / "notebooks" / f"{INDEX}.ipynb", as_version=4).cells


def test_the_index_opens_as_the_others_and_runs_what_they_run(index):
    test_opens_with_claim_data_how_to_read_and_differences(index)
    code = [cell for cell in index if cell.cell_type == "code"]
    test_starts_with_prose_then_imports_then_parameters(index, code)
    test_parameters_are_checked_in_one_call_right_after_they_are_declared(code)
    test_is_short(code)
    nodes = [node for cell in code for node in ast.walk(ast.parse(cell.source))]
    test_defines_nothing(nodes)
    test_holds_no_absolute_path(nodes)


def test_the_index_holds_every_item_before_it_is_run(index):
    (shown,) = [output.data["text/html"] for cell in index for output in cell.get("outputs", ())]
    for item in CATALOGUE.values():
        assert f'<a href="{item.notebook}.ipynb">' in shown, f"run {INDEX} and keep its output"
        assert html.escape(f"{item.named}: {item.title}") in shown, f"run {INDEX} and keep its output"
    linked = re.findall(r'<a href="(\w+)\.ipynb">', shown)
    assert set(linked) == {path.stem for path in NOTEBOOKS}


def test_runs_from_another_folder_and_saves_what_it_says(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = {name: str(tmp_path / name) for name in outputs(defaults(path))}
    run_notebook(path, tmp_path / "executed.ipynb", places | inputs(defaults(path)))
    for stem in figures(places).values():
        for suffix in SAVED:
            assert Path(stem + suffix).stat().st_size > 0
    cells = nbformat.read(tmp_path / "executed.ipynb", as_version=4).cells
    told = [output.get("text", "") for cell in cells for output in cell.get("outputs", [])]
    assert not [text for text in told if "UserWarning" in text], "something that is drawn does not fit"
    for stem in figures(places).values():
        names_its_item_and_fits_a_page(path.stem, stem)
    recorded = json.loads(COLUMNS.read_text()).get(path.stem)
    assert columns_saved(figures(places)) == recorded, (
        f"{path.stem} saves other numbers under a figure's name than before; if that is meant, run `{REFRESH}` and say "
        "why in the commit"
    )


def names_its_item_and_fits_a_page(notebook, stem):
    record = json.loads(Path(stem + ".json").read_text())
    items = [item for item in CATALOGUE.values() if item.notebook == notebook and item.paper != "own"]
    papers = {
        name for item in items for name in (item.paper, *re.findall(r"NAS-Bench-201|NATS-Bench", item.number))
    }
    assert record["title"].startswith(tuple(papers) or "")
    assert record["caption"]
    assert record["alt"].startswith(record["title"])
    with Image.open(f"{stem}.png") as picture:
        assert picture.width in [round(DPI["png"] * width) for width in (ONE_COLUMN, TWO_COLUMNS)]


def columns_saved(stems):
    """Return the header of the numbers of each figure, by parameter."""
    return {name: pd.read_csv(f"{stem}.csv", nrows=0).columns.tolist() for name, stem in stems.items()}


def record_columns():
    """Run every notebook with its defaults and record the columns that it saves."""
    found = {}
    for path in NOTEBOOKS:
        with TemporaryDirectory() as folder:
            places = {name: f"{folder}/{name}" for name in outputs(defaults(path))}
            run_notebook(path, Path(folder) / "executed.ipynb", places | inputs(defaults(path)))
            found[path.stem] = columns_saved(figures(places))
    COLUMNS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    record_columns()
