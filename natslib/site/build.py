"""The static site: a landing page, a page an item, its executed notebooks, verdicts, guides, the API, and a search.

Its pages need no server: they open from the disk. What is not drawn is a hole in them.
"""

import base64
import hashlib
import html
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

import natslib
from natslib.site import render
from natslib.site.api import write_api
from natslib.site.contents import Contents, Drawing, Run
from natslib.site.pictures import Size, write_picture
from natslib.workflow.catalogue import Item
from natslib.workflow.paths import from_root, project_root

GUIDES = ("README.md", "guides/*.md", "CONTRIBUTING.md", "CHANGELOG.md")
"""The texts of the project that become pages."""
WORDS = {
    ".csv": "data (.csv)",
    ".json": "provenance (.json)",
    ".svg": "picture (.svg)",
    ".md": ".md",
    ".tex": ".tex",
}
"""The files of a figure that a site holds, and what they are called; .png is there as a smaller .webp."""
SHOWN = 0.6
"""How large a picture of 200 dots an inch is shown, where the page is wide enough."""


@dataclass(frozen=True)
class Figure:
    """A drawing on a page: the URLs from there, and the width and height of its picture."""

    drawing: Drawing
    picture: str = ""
    thumbnail: str = ""
    size: Size = (0, 0)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """Writes the pages of `contents` into the folder `out`, and removes what is there from before."""

    contents: Contents
    out: Path
    written: set[Path] = field(default_factory=set)
    index: list[dict[str, Any]] = field(default_factory=list)

    def build(self) -> None:
        """Write all of it."""
        self.out.mkdir(parents=True, exist_ok=True)
        for name in ("style.css", "search.js"):
            css = render.code_style() if name == "style.css" else ""
            self.write(name, (render.HERE / name).read_text(encoding="utf-8") + css)
        for item, runs in self.runs.items():
            for run in runs:
                self.write_run(run)
            self.write_item(item, runs)
        self.write_overview()
        self.write_verdicts()
        for path in self.guides:
            self.write_guide(path)
        self.write_api()
        self.page("search.html", "search.html", "Search")
        entries = [entry | {"order": order} for order, entry in enumerate(self.index)]
        self.write("search-index.js", f"const PAGES = {json.dumps(entries, ensure_ascii=False)};\n")
        self.clear()

    @cached_property
    def runs(self) -> dict[str, list[Run]]:
        """The runs of every item."""
        return self.contents.items

    @cached_property
    def guides(self) -> dict[str, str]:
        """The pages of the project's texts, by their paths from the project's root."""
        found = [path for pattern in GUIDES for path in sorted(project_root().glob(pattern))]
        return {str(path.relative_to(project_root())): f"guides/{path.stem.lower()}.html" for path in found}

    @cached_property
    def pages(self) -> dict[str, str]:
        """The pages that stand for files of the project, by these files' paths from its root."""
        items = {run.path: f"items/{run.name}.html" for run in reversed(self.contents.catalogue.values())}
        return items | self.guides | {"notebooks/00_index.ipynb": "index.html"}

    @cached_property
    def pictures(self) -> dict[str, tuple[Size, Size]]:
        """The sizes of the pictures and thumbnails that are there, by stem; written when this is asked first."""
        sizes = {}
        for drawing in self.contents.drawings:
            if drawing.is_drawn and not drawing.left_out:
                made = [self.out / f"{kind}/{drawing.stem}.webp" for kind in ("figures", "thumbnails")]
                sizes[drawing.stem] = write_picture(drawing.file(".png"), *made)
                self.written.update(made)
        return sizes

    @cached_property
    def drawn(self) -> dict[str, Drawing]:
        """The drawings by the hash of their picture, as which notebooks show them."""
        there = [drawing for drawing in self.contents.drawings if drawing.stem in self.pictures]
        return {_sha(drawing.file(".png").read_bytes()): drawing for drawing in there}

    def write(self, page: str, text: str) -> None:
        """Write a file of the site."""
        path = self.out / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.written.add(path)

    def copy(self, source: Path, page: str) -> str:
        """Take a file into the site; return its path there."""
        path = self.out / page
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        self.written.add(path)
        return page

    def page(self, page: str, template: str, title: str, **told: Any) -> None:
        """Write a page made of a template."""
        navigation = {
            "Items": "index.html",
            "Verdicts": "verdicts.html",
            "Guides": "guides/index.html",
            "API": "api/index.html",
        }
        told |= {"page": page, "title": title, "root": "../" * page.count("/"), "navigation": navigation}
        made = render.environment().get_template(template).render(version=natslib.__version__, **told)
        self.write(page, made)

    def found(self, page: str, kind: str, title: str, text: str) -> None:
        """Let the search find a page."""
        self.index.append({"url": page, "kind": kind, "title": title, "text": text})

    def figure(self, drawing: Drawing, page: str) -> Figure:
        """Return a drawing as a page shows it, its files taken into the site."""
        if not drawing.is_drawn:
            return Figure(drawing)
        files = {
            word: _url(page, self.copy(drawing.file(suffix), f"figures/{drawing.stem}{suffix}"))
            for suffix, word in WORDS.items()
            if suffix in drawing.suffixes
        }
        if drawing.left_out:
            return Figure(drawing, files=files)
        picture, thumbnail = (f"{kind}/{drawing.stem}.webp" for kind in ("figures", "thumbnails"))
        width, height = (round(length * SHOWN) for length in self.pictures[drawing.stem][0])
        return Figure(drawing, _url(page, picture), _url(page, thumbnail), (width, height), files)

    def write_run(self, run: Run) -> None:
        """Write the page of an executed notebook, if it is there."""
        if not run.executed.is_file():
            return
        page, notebook = _page_of(run), render.read_notebook(run.executed)
        self.link_pictures(notebook, page)
        title = f"{run.item.named}{' from ' if run.source else ''}{run.source}"
        item_page = _url(page, f"items/{run.item.name}.html")
        content = self.link(render.notebook_html(notebook), run.item.path, page)
        self.page(
            page,
            "html.html",
            title,
            content=content,
            failure=run.failure,
            crumbs={"All items": "../index.html", run.item.title: item_page},
        )

    def link_pictures(self, notebook: NotebookNode, page: str) -> None:
        """Let the pictures of a notebook be those of the site, with a text in place of them."""
        for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
            encoded = output.get("data", {}).get("image/png")
            if not encoded:
                continue
            about = output.metadata.setdefault("image/png", {})
            if drawing := self.drawn.get(_sha(base64.b64decode(encoded))):
                output.metadata["filenames"] = {"image/png": _url(page, f"figures/{drawing.stem}.webp")}
                about["alt"] = drawing.alt
            else:
                about["alt"] = "A figure of this notebook that was drawn again since"

    def write_item(self, name: str, runs: list[Run]) -> None:
        """Write the page of an item."""
        item, page = self.contents.catalogue[name], f"items/{name}.html"
        told = render.opening(render.read_notebook(from_root(item.path)))
        shown = [
            {
                "name": run.name,
                "source": run.source,
                "failure": run.failure,
                "page": _url(page, _page_of(run)) if run.executed.is_file() else "",
                "figures": [self.figure(drawing, page) for drawing in run.drawings],
            }
            for run in runs
        ]
        opening = [self.link(told[each], item.path, page) for each in render.OPENING if each in told]
        facts = self.contents.judged(item).to_dict("records")
        self.page(
            page,
            "item.html",
            item.named,
            item=item,
            opening=opening,
            runs=shown,
            facts=facts,
            counts=self.contents.verdicts(item),
            source_notebook=_url(page, self.copy(from_root(item.path), item.path)),
        )
        captions = [run_drawing.record.get("caption", "") for run in runs for run_drawing in run.drawings]
        stems = [drawing.stem for run in runs for drawing in run.drawings]
        text = " ".join([*(render.plain(part) for part in opening), *stems, *captions])
        self.found(page, "item", f"{item.named}: {item.title}", f"{text} {item.notebook} {name}")

    def write_overview(self) -> None:
        """Write the landing page."""
        papers: dict[str, list[dict[str, Any]]] = {}
        for name, runs in self.runs.items():
            papers.setdefault(self.contents.catalogue[name].paper, []).append(
                self.card(self.contents.catalogue[name], runs)
            )
        contents = self.contents
        self.page(
            "index.html",
            "index.html",
            "All items",
            introduction=_introduction(),
            drawn=len(contents.drawings) - len(contents.left_out) - len(contents.holes),
            sources=sorted({drawing.source for drawing in contents.drawings} - {""}),
            counts=contents.verdicts(contents.catalogue["verdicts"]),
            papers=papers,
            left_out=contents.left_out,
            holes=contents.holes,
            urls={name: f"items/{name}.html" for name in contents.catalogue},
        )

    def card(self, item: Item, runs: list[Run]) -> dict[str, Any]:
        """Return what the landing page shows of an item."""
        drawings = [drawing for run in runs for drawing in run.drawings]
        shown = [drawing for drawing in drawings if drawing.stem in self.pictures]
        picture = None
        if shown:
            stem = shown[0].stem
            picture = Figure(shown[0], thumbnail=f"thumbnails/{stem}.webp", size=self.pictures[stem][1])
        reasons = [f"left out: {drawing.left_out}" for drawing in drawings if drawing.left_out]
        return {
            "item": item,
            "url": f"items/{item.name}.html",
            "shown": picture,
            "empty": reasons[0] if reasons else "not drawn yet" if drawings else "no source is asked for it",
            "counts": self.contents.verdicts(item),
            "holes": len([drawing for drawing in drawings if not drawing.is_drawn and not drawing.left_out]),
        }

    def write_verdicts(self) -> None:
        """Write the table of what is published beside what comes out."""
        facts = self.contents.facts
        by_source = {source: rows.to_dict("records") for source, rows in facts.groupby("source", sort=False)}
        counts = self.contents.verdicts(self.contents.catalogue["verdicts"])
        self.page("verdicts.html", "verdicts.html", "Verdicts", by_source=by_source, counts=counts)
        text = " ".join(sorted({f"{fact['item']} {fact['what']}" for fact in facts.to_dict("records")}))
        self.found("verdicts.html", "verdicts", "Published beside regenerated", text)

    def write_guide(self, path: str) -> None:
        """Write the page of a text of the project, and, with the first, the list of them."""
        page = self.guides[path]
        text = from_root(path).read_text(encoding="utf-8")
        content = self.link(render.markdown(text), path, page)
        title = _heading(from_root(path))
        self.page(page, "html.html", title, content=content, failure="", crumbs={"All guides": "index.html"})
        parts = re.split(r'<h[1-3] id="([^"]+)">(.*?)</h[1-3]>', content)[1:]
        for anchor, heading, part in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            name = render.plain(heading).removesuffix("#").strip()
            self.found(f"{page}#{anchor}", path, name, render.plain(part))
        if path == list(self.guides)[-1]:
            names = "".join(
                f'<li><a href="{Path(url).name}">{html.escape(_heading(from_root(name)))}</a></li>'
                for name, url in self.guides.items()
            )
            self.page(
                "guides/index.html",
                "html.html",
                "Guides",
                content=f"<h1>Guides</h1><ul>{names}</ul>",
                failure="",
                crumbs={},
            )

    def write_api(self) -> None:
        """Write the pages of the Python interface, and the list of them."""
        lines = []
        shutil.rmtree(self.out / "api", ignore_errors=True)
        for page, (first, names) in write_api(self.out / "api").items():
            self.written.add(self.out / "api" / page)
            module = page.removesuffix(".html").replace("/", ".")
            lines.append(f'<li><a href="{page}"><code>{module}</code></a> {first}</li>')
            self.found(f"api/{page}", "API", module, f"{first} {' '.join(names)}")
        content = f"<h1>The Python interface</h1><ul>{''.join(lines)}</ul>"
        self.page("api/index.html", "html.html", "API", content=content, failure="", crumbs={})

    def link(self, text: str, source: str, page: str) -> str:
        """Let the links in HTML made of a file of the project lead to pages or files of the site, from `page`."""

        def target(found: re.Match[str]) -> str:
            before, url, inner = found.groups()
            path, hash_, anchor = url.partition("#")
            if not path or re.match(r"[a-z]+:", path):
                return found[0]
            named = os.path.normpath(Path(source).parent / path)
            if named in self.pages:
                return f'{before}"{_url(page, self.pages[named])}{hash_}{anchor}">{inner}</a>'
            if from_root(named).is_file():
                return f'{before}"{_url(page, self.copy(from_root(named), f"files/{named}"))}">{inner}</a>'
            return inner

        def picture(found: re.Match[str]) -> str:
            stem = Path(found[2]).stem
            drawn = f"figures/{stem}.webp"
            if stem not in self.pictures and from_root(found[2]).is_file():
                drawn = self.copy(from_root(found[2]), f"files/{found[2]}")
            return f'{found[1]}"{_url(page, drawn)}"'

        text = re.sub(r'(<a href=)"([^"]*)"[^>]*>(.*?)</a>', target, text, flags=re.S)
        return re.sub(r'(<img src=)"(figures/[^"]+)"', picture, text)

    def clear(self) -> None:
        """Remove what an earlier site left."""
        for path in sorted(self.out.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in self.written:
                path.unlink()


def _page_of(run: Run) -> str:
    return f"notebooks/{run.name}.html"


def _url(page: str, to: str) -> str:
    """Return the URL of one page of the site from another."""
    return os.path.relpath(to, Path(page).parent)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _heading(path: Path) -> str:
    """Return the title of a text in Markdown."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("# ") for line in lines if line.startswith("# "))


def _introduction() -> str:
    """Return the first paragraph of the README, as HTML that a template takes as it is."""
    text = from_root("README.md").read_text(encoding="utf-8")
    return render.markdown(text.split("\n\n")[1])
