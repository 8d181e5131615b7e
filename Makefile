# One word per task; `make` alone prints them. Everything runs inside .venv, which is made on demand.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help report explore tutorial test lint format notebooks docs pictures site clean
.PHONY: test-floors test-spark lock
.PHONY: bench bench-fetching bench-archive bench-metrics bench-reports bench-explorer

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

report: $(VENV)/.installed  ## make a report: of the sample company, or ORG=name / ENTERPRISE=name
	@$(BIN)/copilot-analytics report \
	  $(if $(ORG),--org $(ORG),$(if $(ENTERPRISE),--enterprise $(ENTERPRISE),--sample)) \
	  $(if $(ARCHIVE),--archive $(ARCHIVE)) $(if $(START),--start $(START)) $(if $(END),--end $(END)) \
	  $(if $(OUT),--out $(OUT)) $(if $(TEAM),--team $(TEAM)) $(if $(PDF),--pdf)

explore: $(VENV)/.installed-explore  ## explore in JupyterLab: the sample, or ARCHIVE=dir (VOILA=1: as an application)
	@$(BIN)/copilot-analytics explore $(if $(ARCHIVE),--archive $(ARCHIVE),--sample) $(if $(VOILA),--voila)

tutorial: $(VENV)/.installed-explore  ## the ten-minute tutorial in JupyterLab, in this folder
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/docs/tutorial.ipynb

test: $(VENV)/.installed-dev lint  ## style, import layers, tests and notebooks
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env -n auto --dist loadscope \
	  tests copilot_analytics notebooks docs/tutorial.ipynb

test-floors: $(VENV)-floors/.installed  ## the tests with the oldest version of each dependency
	$(VENV)-floors/bin/python -m pytest -W ignore::DeprecationWarning --nbval-lax --nbval-current-env -n auto --dist loadscope \
	  tests copilot_analytics notebooks docs/tutorial.ipynb

test-spark: $(VENV)/.installed-spark  ## the metrics on a Spark cluster of two workers (minutes)
	TEST_SPARK=1 $(BIN)/python -m pytest -k spark \
	  tests/test_engines.py tests/test_metrics_engines.py tests/test_archive_opening.py

lint: $(VENV)/.installed-dev  ## style and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.installed-dev  ## put the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: $(VENV)/.installed-dev  ## run the notebooks again and store the figures that tests compare
	$(BIN)/python tests/store_figures.py

docs: $(VENV)/.installed-dev  ## write the pages of docs/ that are made from the package again
	$(BIN)/python docs/generate.py

pictures: $(VENV)/.installed-dev  ## take the pictures of the README again; needs Chromium
	$(BIN)/python docs/pictures.py

site: $(VENV)/.installed-dev  ## build the documentation as a site, in build/site
	$(BIN)/python -m sphinx -W --keep-going docs build/site

lock: $(VENV)/.installed-dev  ## write requirements.lock again: every version and its digests
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --extra app --extra duckdb --extra excel --extra remote --upgrade --quiet \
	  --no-emit-index-url --custom-compile-command "make lock" --output-file requirements.lock

bench: $(VENV)/.installed-bench  ## compare reading with the usual ways (SAVE=1 keeps the figures)
	$(BIN)/python -m benchmarks.reader $(if $(MEGABYTES),--megabytes $(MEGABYTES)) \
	  $(if $(REPEATS),--repeats $(REPEATS)) $(if $(HUGE),--huge) $(if $(SAVE),--save)

bench-fetching: $(VENV)/.installed-bench  ## time a backfill against the latency of its calls
	$(BIN)/python -m benchmarks.fetching $(if $(SAVE),--save)

bench-archive: $(VENV)/.installed-bench  ## time writing and reading an archive (HUGE=1: 100,000 people)
	$(BIN)/python -m benchmarks.archive $(if $(HUGE),--huge) $(if $(SAVE),--save)

bench-metrics: $(VENV)/.installed-bench  ## time the metrics over a year of 100,000 people
	$(BIN)/python -m benchmarks.metrics $(if $(SAVE),--save)

bench-reports: $(VENV)/.installed-bench  ## time the reports beside empty notebooks (SAVE=1 keeps the figures)
	$(BIN)/python -m benchmarks.reports $(if $(SAVE),--save)

bench-explorer: $(VENV)/.installed-bench  ## time the explorer's answers (SAVE=1 keeps the figures)
	$(BIN)/python -m benchmarks.explorer $(if $(SAVE),--save)

clean:  ## remove what make made; reports and archives stay
	rm -rf $(VENV) $(VENV)-floors .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[duckdb,dev,docs]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-explore: $(VENV)/bin/python pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[duckdb,explore]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/bin/python pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-spark: $(VENV)/.installed-dev
	@command -v java >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq default-jre-headless >/dev/null; } || \
	  { echo "Spark needs Java 17 or newer: install a JRE, for example default-jre-headless"; exit 1; }
	@echo "Installing Spark into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[spark,duckdb,dev,docs]"
	@touch $@

$(VENV)-floors/.installed: $(VENV)/.installed-dev
	$(BIN)/uv venv --quiet --clear $(VENV)-floors
	$(BIN)/uv pip install --quiet --python $(VENV)-floors/bin/python --resolution lowest-direct \
	  --editable ".[duckdb,dev,docs]"
	@touch $@
