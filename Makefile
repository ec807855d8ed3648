# Every target sets up what it needs; python3 (3.11 or newer), npm and make are all that has to be there.
.DELETE_ON_ERROR:
.PHONY: demo test test-libraries check lint format twin schema reference pictures measure bench wheel clean

PYTHON ?= python3
# An older server to measure on, too, if it is there.
OLDER_POSTGRES ?= /usr/lib/postgresql/15/bin
BIN := .venv/bin
# npm waits for a cache that it cannot write to, as in a home that is read-only.
NPM_CACHE := $(shell mkdir -p "$$HOME/.npm" 2> /dev/null && test -w "$$HOME/.npm" || echo --cache=.venv/npm-cache)
# What is checked and formatted: the project's own folders, not what somebody tries out beside them.
CODE := src tests examples scripts benchmarks docs README.md CONTRIBUTING.md
SQL := $(filter-out %create_training_package_versions.sql,$(wildcard supabase/migrations/*.sql)) supabase/rollbacks scripts/schema.sql

demo: .venv/ok node_modules/ok  ## the main job, on the embedded stack
	$(BIN)/python examples/quickstart.py

test: lint  ## every test
	$(BIN)/pytest -n 2 --dist loadfile

test-libraries: .venv-libraries/ok  ## the training libraries themselves: 1.5 GB, no network
	HF_HUB_OFFLINE=1 .venv-libraries/bin/pytest -q -o filterwarnings=default tests/libraries

check: lint  ## what to run before every change: under a minute
	$(BIN)/pytest -q -n 2 tests/unit

lint: .venv/ok node_modules/ok
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/ruff check --quiet $(CODE)
	$(BIN)/python scripts/derive_sync.py --check
	$(BIN)/python scripts/cli_reference.py --check
	$(BIN)/lint-imports --no-logo > .venv/imports.log || { cat .venv/imports.log; false; }
	node_modules/.bin/pyright --pythonpath $(BIN)/python
	$(BIN)/sqlfluff lint --quiet $(SQL)

format: .venv/ok
	$(BIN)/ruff check --fix --quiet $(CODE)
	$(BIN)/ruff format --quiet $(CODE)

twin: .venv/ok  ## derive the sync modules from the async ones
	$(BIN)/python scripts/derive_sync.py

reference: .venv/ok  ## write what is derived from the commands: docs, completion, schema
	$(BIN)/python scripts/cli_reference.py

schema: .venv/ok node_modules/ok  ## write supabase/schema.sql from the migrations, and what the doctor compares with
	$(BIN)/python scripts/dump_schema.py
	$(BIN)/python scripts/dump_catalog.py

pictures: .venv/ok node_modules/ok  ## take the pictures of the page for the docs
	$(BIN)/python scripts/take_pictures.py

measure: .venv/ok  ## how dense the code is, folder by folder
	$(BIN)/python scripts/measure.py

bench: .venv/ok node_modules/ok .venv-bench/ok .venv-mlflow/ok  ## what every operation costs
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/bench.py --json docs/performance.json --page docs/performance.md
	$(BIN)/python benchmarks/at_size.py --postgres-bin $(OLDER_POSTGRES) --page docs/performance.md
	$(BIN)/python benchmarks/endpoints.py --page docs/performance.md
	.venv-bench/bin/python benchmarks/plot.py docs/performance.json docs/performance.svg

wheel: .venv/ok
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf .venv .venv-* node_modules dist

.venv/ok: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[api,cli,doctor,local,web]" --group dev
	touch $@

.venv-mlflow/ok: Makefile
	$(PYTHON) -m venv .venv-mlflow
	.venv-mlflow/bin/pip install --quiet --disable-pip-version-check "mlflow==3.17.*" psycopg2-binary
	touch $@

.venv-bench/ok: Makefile
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check "matplotlib>=3.9"
	touch $@

# A bare `torch` is a build of several gigabytes for graphics cards. Where the index that pip uses
# has no other, name one that has builds for processors: make test-libraries TORCH_INDEX=…
TORCH_INDEX ?=
.venv-libraries/ok: Makefile pyproject.toml
	$(PYTHON) -m venv .venv-libraries
	.venv-libraries/bin/pip install --quiet --disable-pip-version-check "pip>=25.1"
	.venv-libraries/bin/pip install --quiet --disable-pip-version-check \
		$(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "torch==2.13.0"
	.venv-libraries/bin/pip install --quiet --disable-pip-version-check --editable . "pytest>=8" \
		transformers accelerate datasets peft trl pandas polars pyarrow omegaconf
	touch $@

# Pinned in package.json; a lock file would list the programs of one platform only, and `npm ci` then refuse it.
node_modules/ok: package.json
	npm install $(NPM_CACHE) --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@
