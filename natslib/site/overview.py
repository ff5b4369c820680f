"""The table of the index notebook: every item with its picture, its verdict, its notebook and what draws it."""

from dataclasses import dataclass

from natslib.site.contents import Contents
from natslib.site.render import environment


@dataclass(frozen=True)
class Overview:
    """Shown in a notebook that lies in `notebooks/`; as text, in a line."""

    contents: Contents

    def _repr_html_(self) -> str:
        return environment().get_template("overview.html").render(contents=self.contents)

    def __repr__(self) -> str:
        count, left_out, holes = (
            len(each) for each in (self.contents.drawings, self.contents.left_out, self.contents.holes)
        )
        return f"{count} figures: {count - left_out - holes} drawn, {left_out} left out, {holes} missing"
