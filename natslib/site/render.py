"""How pages are made of templates, and HTML of Markdown and of notebooks."""

import html
import re
from functools import cache
from pathlib import Path

import jinja2
import nbformat
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).parent
OPENING = ("Claim", "Data", "How to read", "Differences from the paper")
"""The paragraphs that a notebook opens with."""


@cache
def environment() -> jinja2.Environment:
    """Return what knows the templates; all that is put into them is escaped."""
    loader = jinja2.FileSystemLoader(HERE / "templates")
    made = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.undefined = jinja2.StrictUndefined
    return made


def code_style() -> str:
    """Return the style sheet of highlighted code."""
    return HtmlFormatter(style="default").get_style_defs(".highlight")


def markdown(text: str) -> str:
    """Return Markdown as HTML."""
    return markdown2html(text).replace("&#182;", "#")


def opening(notebook: NotebookNode) -> dict[str, str]:
    """Return the title of a notebook and the paragraphs that it opens with, as HTML, by what they begin with."""
    title, *paragraphs = notebook.cells[0].source.split("\n\n")
    told = {"title": html.escape(title.removeprefix("# "))}
    for paragraph in paragraphs:
        if found := re.match(r"\*\*(.+?)\.\*\* ", paragraph):
            told[found[1]] = markdown(paragraph)
    return told


def notebook_html(notebook: NotebookNode) -> str:
    """Return the cells of a notebook as HTML: what they print in sight, their code folded away."""
    exporter = HTMLExporter(
        template_name="cells", extra_template_basedirs=[str(HERE / "templates")], exclude_input_prompt=True
    )
    exporter.exclude_output_prompt = True
    for cell in notebook.cells:
        if cell.cell_type == "code":  # progress bars, a line an update
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.cells = _joined(notebook.cells)
    return exporter.from_notebook_node(notebook)[0]


def _joined(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Return cells so that code that puts nothing out is folded away together with the code after it."""
    joined: list[NotebookNode] = []
    for cell in cells:
        before = joined[-1] if joined else cell
        if cell.cell_type == before.cell_type == "code" and before is not cell and not before.outputs:
            cell.source = f"{before.source}\n\n{cell.source}"
            joined.pop()
        joined.append(cell)
    return joined


def read_notebook(path: Path) -> NotebookNode:
    """Return a notebook."""
    return nbformat.read(path, as_version=4)


def plain(text: str) -> str:
    """Return the words of HTML."""
    return " ".join(html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", text, flags=re.S)).split())
