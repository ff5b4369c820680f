# `make figures` and `make test` are all a newcomer needs. Each sets up .venv by itself when the lock or pyproject.toml is newer.

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help figures test lab site report bench lint format lock clean

help:  ## Say what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

figures: $(READY)  ## Draw every figure that config/default.yaml asks for; does nothing when they are up to date
	$(BIN)/snakemake --cores $(CORES)

test: $(READY)  ## Run the tests and every notebook with its defaults
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax --nbval-current-env tests notebooks

# What cannot be drawn is a hole in both.
site: $(READY)  ## Draw what is out of date, and build the static site from it: results/site/index.html
	-$(BIN)/snakemake --cores $(CORES)
	$(BIN)/python -m natslib.site

report: $(READY)  ## Let Snakemake report on what is drawn: results/report.html
	$(BIN)/snakemake --report results/report.html drawn

# config/jupyter turns saving by itself off, for the notebooks are tracked files, and news. Only root has to say that it is root.
lab: $(READY)  ## Open JupyterLab with the index of the notebooks (ARGS="--no-browser --ip=0.0.0.0" in a container)
	JUPYTER_CONFIG_PATH=$(CURDIR)/config/jupyter $(BIN)/jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks/00_index.ipynb \
	    $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

bench: $(READY)  ## Measure natslib against the official reader, a plain training loop and plain supernets
	$(BIN)/python -m bench
	$(BIN)/python -m bench.train
	$(BIN)/python -m bench.shift
	$(BIN)/python -m bench.weight_sharing

lint: $(READY)  ## Check style, formatting and types; tests/workflow runs Snakemake's own linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## Format the code; strip the notebooks of all but what their check cells print
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout --keep-count --keep-id notebooks/*.ipynb
	$(BIN)/python -m tests.notebooks.metadata

# torch stands apart, without hashes: its wheels differ from index to index (CPU, CUDA), and so does what they need.
lock: $(READY)  ## Pin what pyproject.toml asks for, keeping the pins that still fit (ARGS=--upgrade-package=pandas moves one)
	cat requirements.lock requirements-torch.lock > .lock.tmp
	CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --all-extras --allow-unsafe --strip-extras --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --output-file=.lock.tmp $(ARGS) pyproject.toml
	sed -n -E 's/^(torch==[0-9.]+).*/\1/p' .lock.tmp > requirements-torch.lock
	sed '/^torch==/,/# via/d' .lock.tmp > requirements.lock
	rm .lock.tmp

clean:  ## Remove what was made, but for figures/ and .venv
	rm -rf results .snakemake

# The stamp comes last: interrupted anywhere above it, the next call starts this again.
$(READY): requirements.lock requirements-torch.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "natslib needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-torch.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
