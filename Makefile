# Every target sets up what it needs in .venv; `make` alone lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-all check lint site wheel test-wheel lock clean

BIN := .venv/bin
RUNS := .venv/.gan-zoo-runs
STAMP := .venv/.gan-zoo-installed
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))

# The first supported Python of this machine; `make run PYTHON=/path/to/python3.12` chooses another.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	"$$each" -c '$(SUPPORTED)' 2>/dev/null && echo "$$each" && break; done)

WORKERS ?= 2
# One thread a worker: TensorFlow would start one per core in each, and they would fight over the cores.
# And bytecode is kept, whatever the environment says: most of the tests' processes only start.
TEST_ENVIRONMENT := PYTHONDONTWRITEBYTECODE= KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=2 \
	OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
PYTEST := -m pytest -n $(WORKERS) --dist loadfile

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s%s\n", $$1, $$2 }' Makefile

run: $(RUNS)  ## train a DCGAN on the embedded Fashion-MNIST images
	@$(BIN)/zoo run dcgan
	@echo "  . .venv/bin/activate   # first, to have zoo on your path"

test: $(STAMP)  ## run the test suite
	@$(TEST_ENVIRONMENT) $(BIN)/python $(PYTEST)

test-all: $(STAMP)  ## run the long tests too, which try on all networks what the others try on some
	@$(TEST_ENVIRONMENT) $(BIN)/python $(PYTEST) -m ""

check: lint test-all test-wheel  ## everything: format, lint, types, tests, tests against the built wheel

lint: $(STAMP)  ## check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

site: $(STAMP)  ## build the documentation as a web site into build/site; a dead link fails
	@$(BIN)/python -m docs.make_variants
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -c docs . build/site
	@echo build/site/docs/index.html

wheel: $(STAMP)  ## build the sdist, and from it the wheel, into dist/
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --quiet
	@ls dist/*

# A folder elsewhere, so that nothing is imported from this one.
test-wheel: wheel  ## run the suite against the wheel in a fresh environment
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	"$(abspath $(BIN))/python" -m venv "$$folder/venv"; \
	cp -R tests pyproject.toml "$$folder"; \
	$(call install,$$folder/venv/bin/python,--require-hashes -r requirements.lock); \
	$(call install,$$folder/venv/bin/python,--no-deps dist/*.whl); \
	cd "$$folder"; \
	$(TEST_ENVIRONMENT) venv/bin/python $(PYTEST)

lock:  ## pin the newest versions of all dependencies in requirements.lock, and of those to run in requirements-run.lock (needs uv)
	@uv pip compile pyproject.toml --extra cpu --extra dev --upgrade $(COMPILE) --output-file requirements.lock
	@uv pip compile pyproject.toml --extra cpu --constraint requirements.lock $(COMPILE) --no-annotate \
		--output-file requirements-run.lock

COMPILE := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --quiet

clean:  ## remove builds and caches; .venv and runs/ stay
	@rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	@find zoo plugins tests -name __pycache__ -prune -exec rm -rf {} +

# $(call install,PYTHON,ARGUMENTS): uv where it is on the PATH, because it takes a third of pip's time. Unlike pip it leaves
# bytecode to Python, which where it is told to write none compiles all of TensorFlow at each start, three times as slow.
install = if command -v uv >/dev/null; then uv pip install --quiet \
		$(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode) --python "$(1)" $(2); \
	else "$(1)" -m pip install --quiet --disable-pip-version-check $(2); fi

# What a run needs, and no more: less than half of what the tests need.
$(RUNS): pyproject.toml setup.py requirements-run.lock
	@if [ ! -x $(BIN)/python ]; then \
		if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(SUPPORTED)' 2>/dev/null; then \
			echo "Python 3.11, 3.12 or 3.13 is needed and '$(or $(PYTHON),python3)' is none of them." \
				"Name one, for example: make run PYTHON=/path/to/python3.12" >&2; exit 2; fi; \
		"$(PYTHON)" -m venv .venv || { rm -rf .venv; exit 2; }; \
	elif ! $(BIN)/python -c '$(SUPPORTED)'; then \
		echo "The folder .venv holds no Python 3.11, 3.12 or 3.13: remove it and try again." >&2; exit 2; fi
	@echo "Installing the pinned dependencies into .venv: a minute or two the first time."
	@$(call install,$(BIN)/python,--require-hashes -r requirements-run.lock)
	@export PYTHONWARNINGS=ignore; $(call install,$(BIN)/python,--no-deps --no-build-isolation -e .)
	@touch $@

$(STAMP): $(RUNS) requirements.lock
	@echo "Installing what the tests need besides: another minute or two the first time."
	@$(call install,$(BIN)/python,--require-hashes -r requirements.lock)
	@touch $@
