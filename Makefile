# Everything works on a machine with Python 3.11+ and make; Node is used when it is there and fetched as a wheel when not.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
READY := .venv/.ready

# The tests start programs by the dozen: what those import is compiled once, even where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test lint types web openapi bench fuzz train train-setup fmt lock screenshots clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

setup: $(READY) ## make .venv with the pinned dependencies, the built web app and the engine's compiled kernel
	@$(BIN)/python src/sample_agent/engine/native/build.py --quiet

$(UV):
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools uv

$(READY): $(UV) requirements.lock pyproject.toml hatch_build.py
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

run: setup web ## start everything; open http://localhost:8000
	$(BIN)/sample-agent serve

test: setup web ## run the Python and web tests
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses logical --maxprocesses 4 $(PYTEST_ARGS)
	$(BIN)/python hatch_build.py npm test

lint: setup ## style, imports and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python hatch_build.py npm run lint

types: setup ## strict types, Python and TypeScript
	$(BIN)/mypy
	$(BIN)/python hatch_build.py npm run check

web: setup ## build the web app if its sources changed
	$(BIN)/python hatch_build.py

openapi: setup ## write web/openapi.json anew, after a change of routes or schemas
	$(BIN)/python -m sample_agent.apps.openapi

bench: setup ## speed and accuracy, each beside a peer; results in benchmarks/results
	$(BIN)/python -m benchmarks

fuzz: .venv-fuzz/.ready ## damaged files for every reader, a minute each (FUZZ_ARGS="padconf --seconds 600")
	.venv-fuzz/bin/python -m fuzz $(FUZZ_ARGS)

.venv-fuzz/.ready: $(UV) fuzz/requirements.lock
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-fuzz
	$(UV) pip sync --quiet --python .venv-fuzz/bin/python --require-hashes fuzz/requirements.lock
	SKIP_WEB=1 $(UV) pip install --quiet --python .venv-fuzz/bin/python --no-deps --editable .
	@touch $@

train: train-setup ## make the engine's weights anew (see training/README.md)
	.venv-training/bin/python -m training

train-setup: .venv-training/.ready ## make .venv-training, with what only training needs

.venv-training/.ready: $(UV) training/requirements.lock
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-training
	$(UV) pip sync --quiet --python .venv-training/bin/python --require-hashes training/requirements.lock
	SKIP_WEB=1 $(UV) pip install --quiet --python .venv-training/bin/python --no-deps --editable .
	@touch $@

fmt: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(UV) ## pin the dependencies anew
	$(UV) lock --quiet
	$(UV) export --quiet --extra parquet --no-header --no-annotate --no-emit-project --output-file requirements.lock
	$(UV) export --quiet --no-header --no-annotate --no-emit-project --no-default-groups --group training \
		--output-file training/requirements.lock
	$(UV) export --quiet --no-header --no-annotate --no-emit-project --no-default-groups --group fuzz \
		--output-file fuzz/requirements.lock

screenshots: setup web ## take the pictures in docs/ from the running program
	$(BIN)/python -m docs.screenshots

clean: ## remove what setup and the builds made
	rm -rf .venv .venv-training .venv-fuzz .tools web/node_modules web/dist src/sample_agent/apps/_web \
		src/sample_agent/engine/native/_kernel*
