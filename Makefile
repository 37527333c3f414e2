# Everything is installed into .venv of this folder; only Python >= 3.11 and make are needed.
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
ARGS ?=
SOURCES := app bench tests worker.py

.DEFAULT_GOAL := help
.PHONY: help setup run test check plugins format bench texts constraints clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup: $(STAMP) ## the environment: .venv, with .venv/bin/firsthand

$(STAMP): pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" sh scripts/environment $(VENV)
	@touch $(STAMP)

run: $(STAMP) ## servers, migrations, sample tenant, web and worker; ARGS="--port 9000"
	@exec $(PY) -m app.operations.cli run $(ARGS)

test: $(STAMP) ## all tests, on servers of their own; ARGS="-k name"
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check: $(STAMP) ## format, lint, types, import contracts
	@$(PY) -m ruff format --check $(wildcard $(SOURCES))
	@$(PY) -m ruff check $(wildcard $(SOURCES))
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-cache

plugins: ## what is installed in each CRM, with the vendors' own tools; needs npm and Node 20.9
	@sh scripts/plugins

format: $(STAMP) ## put the source into its format
	@$(PY) -m ruff format $(wildcard $(SOURCES))
	@$(PY) -m ruff check --fix $(wildcard $(SOURCES))

bench: $(STAMP) ## every benchmark, one JSON object a line; ARGS="sweep" one of them
	@$(PY) -m bench $(ARGS)

texts: $(STAMP) ## bring the catalogues of the pages' texts up to date
	@$(PY) -m tests.app.texts

constraints: $(STAMP) ## compile constraints.txt anew from pyproject.toml
	@$(PY) -m pip install -q pip-tools
	@$(VENV)/bin/pip-compile -q --upgrade --all-extras --strip-extras --no-header --annotation-style=line \
		--output-file constraints.txt pyproject.toml
	@sed -i.old '/^--/d;/^$$/d' constraints.txt && rm -f constraints.txt.old

clean: ## remove the environment and caches; the data stays
	rm -rf $(VENV) plugins/node_modules plugins/build build *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
