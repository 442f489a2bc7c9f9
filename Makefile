# From a bare clone: `make demo` or `make test`. Nothing is installed outside the clone, except chromium for
# the browser tests where apt can do it.
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.installed
STACK := $(PY) -m directive_etl.local_stack
# The first interpreter that fits; asked only while the environment is built.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)
BROWSERS := chromium chromium-browser google-chrome

export PYTHONPATH := $(CURDIR)/include$(if $(PYTHONPATH),:$(PYTHONPATH))
# A target that runs Airflow outside the stack (tests, checks) leaves nothing in the home folder.
export AIRFLOW_HOME ?= $(CURDIR)/.local/airflow

.DEFAULT_GOAL := help
.PHONY: help demo test soak up down status env check bench clean lock browser

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## start everything and run 14 days of the demo city through the scheduler
	@$(STACK) demo

test: $(READY) browser ## run all tests
	@$(PY) -m pytest -n 3 --dist loadscope --no-loadscope-reorder

soak: $(READY) ## the long form of the tests that try many random cases
	@DIRECTIVE_ETL_TEST_SCHEDULES=50 DIRECTIVE_ETL_TEST_HISTORIES=60 DIRECTIVE_ETL_TEST_EXAMPLES=100 \
		$(PY) -m pytest --hypothesis-profile=default tests/sources/service_portal/test_moving_list.py \
		tests/sources/sms_log/test_histories.py tests/sources/sms_log/test_late_parquet.py \
		tests/cockpit/test_endpoints.py

up: $(READY) ## start PostgreSQL and Airflow, or what of them does not run
	@$(STACK) up

down: ## stop them; the data stay
	@if [ -x "$(PY)" ]; then $(STACK) down; fi

status: $(READY) ## list the parts of the stack
	@$(STACK) status

# For a shell: eval "$(make -s env)".
env: $(READY) ## print the line that loads the settings into a shell
	@$(STACK) env

check: $(READY) ## lint, format, types, import rules
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/mypy"
	@"$(BIN)/lint-imports"

bench: $(READY) ## run the benchmarks
	@for file in benchmarks/*.py; do echo "== $$file"; "$(PY)" "$$file" || exit 1; done

clean: ## stop everything and delete .local/
	@if [ -x "$(PY)" ]; then $(STACK) clean; fi
	@rm -rf .local

lock: $(READY) ## write requirements.lock from pyproject.toml; UPGRADE=1 for the newest versions
	@"$(BIN)/uv" pip compile pyproject.toml --group local --group dev --universal --generate-hashes \
		--no-header $(if $(UPGRADE),--upgrade) -o requirements.lock

# uv does not read pip's configuration. Where the packages come from a mirror that only pip knows, pip installs.
$(READY): requirements.lock
	@if [ ! -x "$(PY)" ]; then \
		[ -n "$(PYTHON)" ] || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found." >&2; exit 1; }; \
		echo "Building $(VENV) with $(PYTHON) ..."; \
		"$(PYTHON)" -m venv $(VENV); fi
	@"$(PY)" -m pip install --quiet --disable-pip-version-check uv
	@"$(BIN)/uv" pip install --quiet --python "$(PY)" --require-hashes -r requirements.lock --compile-bytecode \
		|| { echo "uv cannot install the lock; trying pip ..."; \
		"$(PY)" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; }
	@echo "$(CURDIR)/include" > "$$("$(PY)" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/directive_etl.pth"
	@touch $@

browser:
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing chromium for the browser tests ..."; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 \
			|| echo "chromium cannot be installed: the browser tests will be skipped."; \
	else echo "There is no chromium: the browser tests will be skipped."; fi
