# Two commands on a machine with git, make and Python 3.11 or newer:
#
#   make run     set up what is missing and open the arena on http://127.0.0.1:7860
#   make test    set up what is missing and run the checks and the tests
#
# Both install into .venv from the committed locks (names, versions, hashes); nothing else is touched, and a second
# call does nothing twice.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run test lint format lock journeys screenshots proofs fuzz audit bench bench-pages load clean

help:
	@sed -n '/^#   make/s/^#   //p' Makefile

run: $(VENV)/.run
	@exec $(BIN)/python app.py

# As many processes as there are processors, each with an interpreter, servers and perhaps a browser of its own. One takes
# from the other's pile when its own is empty; else tests stay in their order, so that a file's arena is served once.
# In one process: make test WORKERS=
WORKERS ?= --numprocesses logical --maxprocesses 8 --dist worksteal

test: $(VENV)/.dev lint
	@$(BIN)/python -m pytest $(WORKERS) -m "not proof and not journey" $(TESTS)

#   make lint    formatting, style, types and import cycles, without the tests
lint: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/pyright --pythonpath $(BIN)/python

#   make format  put the code into the house format
format: $(VENV)/.dev
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

#   make journeys  the pages in a real browser, every journey: some fifteen minutes
journeys: $(VENV)/.dev
	@$(BIN)/python -m pytest -m journey

#   make screenshots  every page in every state as a picture: open build/screenshots/index.html; some five minutes.
#                Those whose names begin so: make screenshots SHOTS="arena leaderboard"; the README's: SHOTS=--readme
screenshots: $(VENV)/.dev
	@$(BIN)/python tests/ui/screenshot.py $(SHOTS)

#   make proofs  slow evidence: coverage of intervals, the container's steps in a clean environment, kills under load
proofs: $(VENV)/.dev
	@$(BIN)/python -m pytest -m proof

#   make fuzz    look for inputs that a reader trips over: every one for three minutes, or make fuzz TARGET=view SECONDS=60
fuzz: $(VENV)/.dev
	@$(PIP) install --require-hashes --requirement requirements-fuzz.txt
	@for target in $(or $(TARGET),$$(PYTHONPATH=tests $(BIN)/python tests/fuzz/targets.py)); do \
		echo "== $$target"; $(BIN)/python tests/fuzz/fuzz.py $$target $(or $(SECONDS),180) || exit 1; done

#   make audit   ask the advisories of PyPI about every locked package; says so where they cannot be reached
audit: $(VENV)/.dev
	@$(BIN)/python tests/audit.py

#   make bench   time the ratings; against peers: make bench PEERS=/path/to/a/python/that/has/them
bench: $(VENV)/.dev
	@$(BIN)/python benchmarks/rating.py $(if $(PEERS),--peers $(PEERS)) $(BENCH)

#   make bench-pages  time the pages in a real browser, in some three minutes
bench-pages: $(VENV)/.dev
	@$(BIN)/python benchmarks/pages.py $(BENCH)

#   make load    load a served arena over HTTP: a fifth of an hour; LOAD=--quick for half a minute
load: $(VENV)/.dev
	@PYTHONPATH=. $(BIN)/python benchmarks/load.py $(LOAD)

#   make lock    resolve the dependencies anew
lock: $(VENV)/.dev
	@$(BIN)/uv pip compile pyproject.toml --group build $(LOCK_FLAGS) --output-file requirements.txt
	@$(BIN)/uv pip compile pyproject.toml --group build --group dev $(LOCK_FLAGS) --constraint requirements.txt \
		--output-file requirements-dev.txt
	@$(BIN)/uv pip compile --group fuzz $(LOCK_FLAGS) --output-file requirements-fuzz.txt

LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --quiet --upgrade

#   make clean   remove the environment and the caches, and no data
clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "bakeoff needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) (once; some minutes, mostly the download)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-trl.txt $(VENV)/.run
	@echo "Adding the tools for development"
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@$(PIP) install --require-hashes --no-deps --requirement requirements-trl.txt
	@touch $@
