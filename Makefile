# `make demo` and `make test` set themselves up; each works on a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Touched when .venv holds what pyproject.toml and constraints.txt ask for.
READY := $(VENV)/.ready

.PHONY: demo lab test check catalogue bench bench-recipes torture release-check docs clean clean-compiled

# The TypeScript half: installing builds both bundles when these have changed.
WEB := rnn_magics/locale/zh_CN/LC_MESSAGES/rnn_magics.po $(shell find labextension -type f -not -path '*/node_modules/*' -not -path '*/tests/*' -not -path '*/lib/*' -not -path '*/.yarn/*')
JLPM := cd labextension && PATH="$(abspath $(BIN)):$$PATH" jlpm
NEEDS_NODE := command -v node >/dev/null || { echo "the TypeScript half is checked by Node 20 or newer, which is not on PATH"; exit 1; }

$(READY): pyproject.toml constraints.txt hatch_build.py $(WEB)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "rnn_magics needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,docs]' --constraint constraints.txt
	touch $@

demo: $(READY)  ## train on the built-in corpus in the quickstart notebook, without a browser
	$(BIN)/python tools/run_notebook.py examples/01_quickstart.ipynb

lab: $(READY)  ## open the same notebook in JupyterLab
	$(BIN)/jupyter lab examples/01_quickstart.ipynb

test: $(READY)  ## everything: units, magics, a real kernel, every example
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/browser --ignore tests/kernel
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/browser tests/kernel
endif
	@$(NEEDS_NODE)
	$(JLPM) install --immutable
	$(JLPM) run test

check: $(READY)  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(NEEDS_NODE)
	$(JLPM) install --immutable
	$(JLPM) run check

catalogue: $(READY)  ## look for texts in the sources; FROM=other.po takes translations from there
	$(BIN)/python tools/catalogue.py $(FROM)

bench: $(READY)  ## measure against the peers and write docs/performance.md (two hours on a quiet machine)
	$(BIN)/python -m pip install --quiet --no-deps d2l==0.17.6
	-$(BIN)/python -m pip install --quiet jax==0.10.2 --constraint constraints.txt
	$(BIN)/python benchmarks/bench.py $(ARGS)

torture: $(READY)  ## interrupt, spoil, fill and feed it, and write docs/reliability.md
	$(BIN)/python benchmarks/torture/run.py $(ARGS)

bench-recipes: $(READY)  ## train the five recipes of the book and print their table
	$(BIN)/python benchmarks/published/d2l_second_edition.py

docs: $(READY)  ## the site, in build/site; executes the notebooks that have changed
	$(BIN)/sphinx-build -W --keep-going -n -t course -c docs -d build/docs . build/site $(ARGS)

release-check: $(READY)  ## build what is published, check it, install it into empty environments; ARGS=--lowest
	$(BIN)/python -m pip install --quiet --editable '.[dev,docs,release]' --constraint constraints.txt
	$(BIN)/python tools/release_check.py $(ARGS)

clean-compiled:  ## forget what numba has compiled
	rm -rf rnn_magics/models/fast/__pycache__ rnn_magics/models/fast/*/__pycache__

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
