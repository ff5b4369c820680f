"""The static site, built of a few items, read as a person would: in a browser, from the disk."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pandas as pd
import pytest

from natslib.site import api, contents
from natslib.site.build import Site
from natslib.site.contents import Contents, Drawing, read_contents
from natslib.workflow.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
DRAWN = ("fig1_search_spaces", "search_spaces_counts", "fig5_correlation_published", "verdicts_published")
LEFT_OUT = "it has no test accuracy"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of three items that are drawn, one whose notebook failed, and one that its source cannot give."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "executed").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(contents, "EXECUTED", str(folder / "executed"))
        patch.setattr(api, "PACKAGES", ("natslib", "natslib.spaces"))
        found = read_contents()
        shown = [drawing for drawing in found.drawings if drawing.stem in DRAWN]
        first = next(drawing for drawing in shown if drawing.stem == DRAWN[0])
        missing = [
            Drawing(CATALOGUE["protocol"], name, "", "results/never")
            for name in CATALOGUE["protocol"].figures
        ]
        lacking = Drawing(CATALOGUE["proxy_vs_full"], "figure_proxy", "published", "figures", LEFT_OUT)
        write_executed(
            folder / "executed/search_spaces.ipynb", "search_spaces", WIDE, PROGRESS, picture(first)
        )
        write_executed(folder / "executed/protocol.ipynb", "protocol", ERROR)
        Site(Contents([*shown, *missing, lacking], found.facts), folder / "site").build()
    return folder / "site"


ERROR = nbformat.v4.new_output(
    "error", ename="ValueError", evalue="no such <recipe>", traceback=["ValueError"]
)

PROGRESS = nbformat.v4.new_output("stream", name="stderr", text="training: 33%|███      | 1/3")
WIDE = nbformat.v4.new_output(
    "display_data",
    {"text/html": pd.DataFrame(0.123, range(3), [f"column{n}" for n in range(30)]).to_html(border=0)},
)


def picture(drawing):
    encoded = base64.b64encode(drawing.file(".png").read_bytes()).decode()
    return nbformat.v4.new_output("display_data", {"image/png": encoded})


def write_executed(path, name, *outputs):
    """Write the notebook of an item as if it had run, with outputs of its last cell."""
    notebook = nbformat.read(ROOT / CATALOGUE[name].path, as_version=4)
    notebook.cells[-1].outputs, notebook.cells[-1].execution_count = list(outputs), 7
    nbformat.write(notebook, path)


def pages_of(site):
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


class Links(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors, self.pictures = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.targets += [told[name] for name in ("href", "src") if name in told]
        self.anchors |= {told[name] for name in ("id", "name") if told.get(name)}
        if tag == "img":
            self.pictures.append(told)


def dead_links(site):
    found = {page: Links((site / page).read_text(encoding="utf-8")) for page in pages_of(site)}
    dead = []
    for page, links in found.items():
        for target in links.targets:
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            to = ((site / page).parent / unquote(path)).resolve() if path else site / page
            at = to.relative_to(site).as_posix() if to.is_relative_to(site) else "outside"
            if not to.is_file() or (anchor and at in found and unquote(anchor) not in found[at].anchors):
                dead.append(f"{page}: {target}")
    return dead


def test_no_link_is_dead(site):
    assert not dead_links(site)


def test_the_search_for_dead_links_finds_them(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html">b</a> <a href="#there">c</a> <a href="#here" id="here">d</a>'
    )
    assert dead_links(tmp_path) == ["a.html: b.html", "a.html: #there"]


def test_nothing_of_an_earlier_site_stays_but_pictures(site):
    assert not [path for path in site.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert {path.stem for path in (site / "figures").glob("*.webp")} == set(DRAWN)


def test_every_item_has_a_page(site):
    assert {path.stem for path in (site / "items").glob("*.html")} == set(CATALOGUE)


def test_every_picture_of_a_figure_is_told_in_words(site):
    for page in pages_of(site):
        told = Links((site / page).read_text(encoding="utf-8")).pictures
        for image in told if not page.startswith("api/") and page != "index.html" else []:
            assert image["alt"], f"{page}: {image['src']}"


def test_a_notebook_shows_the_pictures_of_the_site(site):
    images = Links((site / "notebooks/search_spaces.html").read_text(encoding="utf-8")).pictures
    assert [image["src"] for image in images] == ["../figures/fig1_search_spaces.webp"]
    assert "Figure 1" in images[0]["alt"]


def test_a_page_shows_no_progress_bar(site):
    page = (site / "notebooks/search_spaces.html").read_text(encoding="utf-8")
    assert "training: 33%" not in page


def test_a_failed_notebook_is_a_hole_that_names_cell_and_error(site):
    page = (site / "items/protocol.html").read_text(encoding="utf-8")
    cell = nbformat.read(ROOT / CATALOGUE["protocol"].path, as_version=4).cells[-1].id
    assert (
        f"table2_recipes is missing.</strong> Its notebook stopped in cell {cell} (In [7]): ValueError"
        in page
    )
    assert "no such &lt;recipe&gt;" in page
    assert "no such &lt;recipe&gt;" in (site / "notebooks/protocol.html").read_text(encoding="utf-8")
    assert "table2_recipes</a>: <code>snakemake" in (site / "index.html").read_text(encoding="utf-8")


def test_what_a_source_cannot_give_stands_with_its_reason(site):
    assert LEFT_OUT in (site / "items/proxy_vs_full.html").read_text(encoding="utf-8")
    assert LEFT_OUT in (site / "index.html").read_text(encoding="utf-8")


def test_the_verdicts_stand_on_their_page_and_with_the_item_they_are_about(site):
    for page in ("verdicts.html", "items/correlation.html"):
        assert "NATS-Bench, Figure 5: Kendall" in (site / page).read_text(encoding="utf-8")
    assert "Kendall" not in (site / "items/search_spaces.html").read_text(encoding="utf-8")


def test_the_landing_page_shows_its_pictures(site, page):
    page.goto((site / "index.html").as_uri())
    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    assert page.evaluate("[...document.images].map(image => image.naturalWidth > 0)") == [True] * 3
    page.get_by_role("link", name="Figure 5 correlation heatmaps").click()
    assert page.title().startswith("NATS-Bench, Figure 5")


def test_no_page_is_wider_than_a_phone(site, page):
    page.set_viewport_size({"width": 390, "height": 844})
    too_wide = []
    for name in pages_of(site):
        page.goto((site / name).as_uri(), wait_until="domcontentloaded")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            too_wide.append(name)
    assert not too_wide


def test_a_wide_table_of_a_notebook_scrolls_inside_itself(site, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((site / "notebooks/search_spaces.html").as_uri())
    area = page.locator("table", has=page.locator("th", has_text=re.compile("^column29$")))
    assert area.evaluate("area => area.scrollWidth > 3 * area.clientWidth")
    assert area.evaluate("area => { area.scrollLeft = 200; return area.scrollLeft; }") == 200
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    number = area.locator("td").first
    assert number.evaluate("cell => getComputedStyle(cell).textAlign") == "right"


def test_the_search_leads_to_an_item(site, page):
    page.goto((site / "guides/readme.html").as_uri())
    page.get_by_role("searchbox").fill("HEATMAPS correlation")
    page.keyboard.press("Enter")
    first = page.locator("#results a").first
    assert first.inner_text() == "NATS-Bench, Figure 5: correlation heatmaps"
    page.get_by_role("searchbox").fill("nothing has this word")
    assert page.locator("#found").inner_text().startswith("No pages")
    page.get_by_role("searchbox").fill("equivalence spaces")
    page.get_by_role("link", name="natslib.spaces").click()
    assert page.title().startswith("natslib.spaces")


def test_it_is_read_by_keyboard(site, page):
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.locator('main a[href^="items/"]').first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/items/"))
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
