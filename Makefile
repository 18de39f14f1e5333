# Two commands matter: `make demo` and `make test`. Everything they need goes into .venv and web/node_modules.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := fleet detect ingest store alerts api simulators keelwing
PAGE := api/page/index.html

# The suite starts a hundred processes: compiled once, not in each, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check lint types imports page-check unit soak bench evaluate setup wheel release-check clean

demo: setup
	@$(BIN)/keelwing up --demo

# Types and style are checked beside the suite, which mostly waits.
test: setup
	@$(MAKE) --no-print-directory -j2 check unit

check: lint types imports page-check

setup:
	@$(MAKE) --no-print-directory -j2 .venv/.ready $(PAGE)

.venv/.ready: requirements.lock pyproject.toml
	@echo "setting up .venv (about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit("Keelwing needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $@

web/node_modules/.ready: web/package-lock.json web/package.json
	@echo "setting up web/node_modules"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): web/node_modules/.ready web/index.html web/vite.config.ts $(shell find web/src web/public -type f 2>/dev/null)
	@cd web && npm run --silent build
	@touch $@

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: .venv/bin/ruff format ."; exit 1; }

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports --no-cache > .import-linter.log 2>&1 || { cat .import-linter.log; exit 1; }

page-check: setup
	@cd web && npm run --silent check && npm test --silent

unit: setup
	@$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder

# The pipeline under faults, as many seeds as one likes: make soak SEEDS=50000 (docs/simulation.md).
FIRST ?= 1000
SEEDS ?= 2000
soak: setup
	@$(BIN)/python -m tests.simulation $(FIRST) --seeds $(SEEDS)

# On a quiet machine: about 25 minutes, a table for eyes and bench/results/*.json.
bench: setup
	@$(BIN)/python -m bench

# Ten minutes on two cores: detection on real tracks, as they came and told otherwise, injected faults and labelled sets (docs/evaluation.md).
evaluate: setup
	@$(BIN)/python -m evaluation

wheel: setup
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist

# Builds, installs and tries what will be released: the wheel, the units of systemd, the compose file.
release-check: setup
	@$(BIN)/python deploy/release_check.py

clean:
	rm -rf .venv web/node_modules api/page test-output dist
