# Two commands for a fresh machine with Python (3.11 or newer) and make: `make run`, `make test`.
# Everything else is listed by `make help`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLI := .venv-cli
SCALE ?= small
# These touch no database, so another one would show nothing new.
NO_DATABASE := --ignore=tests/client --ignore=tests/sandbox
# Proofs that run in one process, on the database of the tests: they are made on each.
IN_PROCESS := $(addprefix tests/prove/test_,doubts.py lost_callbacks.py pruning.py schedules.py)
export SCALE

.PHONY: help run test test-services test-browser prove bench matrix lint types layers wheel clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable '.[filters,openapi,sandbox]'
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.services: tests/requirements-services.txt $(VENV)/.dev
	$(BIN)/pip install --quiet --requirement tests/requirements-services.txt
	@touch $@

# Tavus's own command line, in an environment of its own: the judge of the sandbox.
$(CLI)/bin/tavus: tests/requirements-cli.txt
	$(PYTHON) -m venv $(CLI)
	$(CLI)/bin/pip install --quiet --requirement tests/requirements-cli.txt

$(VENV)/.browser: tests/requirements-browser.txt $(VENV)/.dev
	$(BIN)/pip install --quiet --requirement tests/requirements-browser.txt
	@touch $@

run: $(VENV)/.run ## sandbox, site and worker, and one whole conversation (ONCE=1 exits after it)
	@$(BIN)/python example_project/run.py

test: $(VENV)/.dev ## the tests; no server needed
	$(BIN)/pytest -n 2 -m "not services and not browser"

test-services: $(VENV)/.services $(CLI)/bin/tavus ## the same and more on PostgreSQL, MariaDB, Redis and RabbitMQ
	@echo "proofs at SCALE=$(SCALE)"
	TEST_DATABASE=postgresql $(BIN)/pytest -n 2 -m "not services and not browser" $(NO_DATABASE)
	TEST_DATABASE=mariadb $(BIN)/pytest -n 2 -m "not services and not browser" $(NO_DATABASE)
	$(BIN)/pytest -s -m services
	TEST_DATABASE=postgresql $(BIN)/pytest -s -m services $(IN_PROCESS)
	TEST_DATABASE=mariadb $(BIN)/pytest -s -m services $(IN_PROCESS)

test-browser: $(VENV)/.browser ## what people see, in Chromium
	$(BIN)/pytest -n 2 --dist loadgroup -m browser

prove: $(VENV)/.services ## the proofs alone; SCALE=full for the full size
	@echo "proofs at SCALE=$(SCALE)"
	$(BIN)/pytest -s -m services tests/prove
	TEST_DATABASE=postgresql $(BIN)/pytest -s -m services $(IN_PROCESS)
	TEST_DATABASE=mariadb $(BIN)/pytest -s -m services $(IN_PROCESS)

bench: $(VENV)/.services ## the benchmarks, as ratios to floors measured in the same run
	@echo "benchmarks at SCALE=$(SCALE)"
	$(BIN)/python -m benchmarks
	TEST_DATABASE=postgresql $(BIN)/python benchmarks/sync.py

lint: $(VENV)/.dev ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

layers: $(VENV)/.dev ## import-linter, and no missing migration
	$(BIN)/lint-imports
	$(BIN)/python -m django makemigrations --check --dry-run --settings tests.settings

wheel: $(VENV)/.dev ## build the wheel, install it elsewhere and use it there
	$(BIN)/python tests/wheel.py

matrix: $(VENV)/.dev ## every supported Python and Django that this machine has (tox)
	$(BIN)/pip install --quiet tox
	$(BIN)/tox run

clean: ## remove what the targets made
	rm -rf $(VENV) build dist run artifacts *.egg-info
