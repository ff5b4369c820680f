"""Give every notebook the metadata that JupyterLab completes when it opens one: then opening it changes nothing.

`make format` calls it: `python -m tests.notebooks.metadata`.
"""

from pathlib import Path

import nbformat

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.11.7",
    },
}


if __name__ == "__main__":
    for path in sorted(Path("notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if notebook.metadata != METADATA:
            notebook.metadata = nbformat.from_dict(METADATA)
            nbformat.write(notebook, path)
