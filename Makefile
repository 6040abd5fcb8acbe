# Two commands for a fresh clone: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --quiet

ifdef PORT
export PARTNERSHIP_PORT := $(PORT)
endif

.DEFAULT_GOAL := help
.PHONY: help run test check bench long fuzz peers lock upgrade messages format clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: $(VENV)/.base $(BIN)/partnership ## migrations, the demo programme, and the server on http://127.0.0.1:8000 (PORT=… for another)
	@$(BIN)/python -m app.cli migrate
	@$(BIN)/python -m app.cli demo --if-empty
	@exec $(BIN)/python -m app.cli serve

test: $(VENV)/.test $(BIN)/partnership ## the whole suite (ARGS="-k ideas" for a part)
	@$(BIN)/python -m tests.with_servers $(or $(ARGS),--numprocesses=auto --maxprocesses=4 --dist=loadscope)

check: $(VENV)/.check $(BIN)/partnership ## style, types, imports between rooms, templates, dependencies, Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy examples
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint app/templates --lint --quiet
	$(BIN)/python .ci/htmx_upgrade_check.py --ext .html app/templates
	$(BIN)/deptry app
	$(BIN)/hadolint Dockerfile

bench: $(VENV)/.test $(BIN)/partnership ## measured against the floor, as ratios (ARGS="--only support" for a part)
	@$(BIN)/python -m bench.run $(ARGS)

peers: var/peers/.done ## methods compared with heavy libraries, in an environment of their own
	@var/peers/bin/python -m pytest tests/peers -m peers $(ARGS)

long: $(VENV)/.test $(BIN)/partnership ## tests that take many minutes, together about an hour: `make fuzz`, 500 orders of bookings, large measurements
	@$(BIN)/python -m tests.with_servers -m long -s $(ARGS)

fuzz: $(VENV)/.test $(BIN)/partnership ## schemathesis, as someone of each role, on both engines: half an hour (ARGS="-k host" for a part)
	@$(BIN)/python -m tests.with_servers tests/fuzz -m long -s $(ARGS)

lock: $(VENV)/.check ## requirements/*.in to *.txt, keeping the versions that still fit
	$(BIN)/uv pip compile $(LOCK) -o requirements/base.txt requirements/base.in
	$(BIN)/uv pip compile $(LOCK) -c requirements/base.txt -o requirements/test.txt requirements/test.in
	$(BIN)/uv pip compile $(LOCK) -c requirements/test.txt -o requirements/check.txt requirements/check.in

upgrade: LOCK += --upgrade
upgrade: lock ## the newest versions of everything

messages: $(VENV)/.check ## collect what is to be translated; the application compiles the catalogues itself
	@mkdir -p var
	$(BIN)/pybabel extract -F pyproject.toml -k N_ --no-location --sort-output -o var/messages.pot .
	$(BIN)/pybabel update -i var/messages.pot -d app/locales --width 120 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

format: $(VENV)/.check ## put the code in its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## forget the environment and what was measured; var/, with the data, stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage

# One environment, filled in three steps. A stamp says that a step was taken from this very lock file. It names all
# there is (--no-deps): pip would ask for the hashes of a package and of its extras apart, and a lock has them once.

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; point to one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) \
		|| { echo "Python's venv module is incomplete; on Debian: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.base: requirements/base.txt | $(VENV)/.python
	@echo "Installing what the application needs (once, about half a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

$(VENV)/.test: requirements/test.txt | $(VENV)/.base
	@echo "Installing what the tests need (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

$(VENV)/.check: requirements/check.txt | $(VENV)/.test
	@echo "Installing what the checks need (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

var/peers/.done: requirements/test.txt requirements/peers.in
	@test -x var/peers/bin/pip || $(PYTHON) -m venv var/peers
	@var/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/test.txt
	@var/peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/peers.in
	@touch $@

# The command runs from this tree: no build step, and nothing to install again after an edit.
$(BIN)/partnership: | $(VENV)/.python
	@printf '%s\n' '#!/bin/sh' 'PYTHONPATH="$(CURDIR)" exec "$(abspath $(BIN))/python" -P -m app.cli "$$@"' > $@
	@chmod +x $@
