# Two commands do everything: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
SHELL := bash
.SHELLFLAGS := -o pipefail -c
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXAMPLES ?= nightly
PEERS := .venv-bench
SPARK_STAMP := $(VENV)/.installed-spark
LOCK := uv pip compile --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --quiet
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup spark demo test properties check lint types layers lock bench bench-scoring bench-audit bench-floor bench-review bench-serve bench-quality bench-intervals bench-drift bench-drift-peers bench-selection bench-loop bench-year clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Make the virtual environment with locked versions

# The stamp depends on what is installed only, so a second run needs no network.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mqlml needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

# Spark is 450 MB to fetch and of no use without Java: only the tests ask for it.
spark: $(STAMP) ## Add Spark to the environment, where there is Java to run it
	@if [ -e $(SPARK_STAMP) ]; then :; elif command -v java >/dev/null; then \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-spark.lock \
			&& touch $(SPARK_STAMP); \
	else echo "no Java here: the tests of Spark will be skipped" >&2; fi

demo: $(STAMP) ## Run the whole loop on a simulated company
	@$(BIN)/mqlml demo --workspace .mqlml

bench-intervals: $(STAMP) ## Measure how often intervals of scores and ranks hold the truth
	@$(BIN)/python -m benchmarks.intervals

bench-scoring: $(STAMP) ## Measure scores and reasons beside LightGBM's own (SIZE=small|medium)
	@$(BIN)/python -m benchmarks.scoring --size $(or $(SIZE),medium)

bench-drift: $(STAMP) ## Measure what monitoring finds, when, in worlds of known truth (PROFILE=quick|full)
	@$(BIN)/python -m benchmarks.drift --profile $(or $(PROFILE),full)

bench-drift-peers: $(STAMP) $(PEERS)-drift/.installed ## Let Evidently and NannyML look at some firms of bench-drift
	@$(BIN)/python -m benchmarks.drift_peers --peers $(PEERS)-drift/bin/python

bench-selection: $(STAMP) ## Measure what routing hides, and what exploring costs
	@$(BIN)/python -m benchmarks.selection

bench-audit: $(STAMP) ## Measure planted leaks found and honest tables stopped (PROFILE=quick|full)
	@$(BIN)/python -m benchmarks.audit --profile $(or $(PROFILE),full)

bench-floor: $(STAMP) ## Measure how often a promised precision is broken
	@$(BIN)/python -m benchmarks.precision_floor

bench-review: $(STAMP) ## Measure how well a review finds planted disagreement
	@$(BIN)/python -m benchmarks.review

bench-serve: $(STAMP) ## Measure fifty reps at once on the page for sales (PROFILE=quick|full)
	@$(BIN)/python -m benchmarks.serve --profile $(or $(PROFILE),full)

bench-quality: $(STAMP) $(PEERS)-quality/.installed ## Judge probabilities on public tables beside peers (BLOCK=inner|test)
	@$(BIN)/python -m benchmarks.quality --block $(or $(BLOCK),inner) --peers $(PEERS)-quality/bin/python
	@$(BIN)/python -m benchmarks.quality_simulated truth
	@$(BIN)/python -m benchmarks.quality_simulated luck
	@$(BIN)/python -m benchmarks.quality_simulated axes
	@$(BIN)/python -m benchmarks.quality_simulated scale

bench-loop: $(STAMP) ## Measure young labels, corrections, promotions, going back, the whole loop beside calendars
	@$(BIN)/python -m benchmarks.loop
	@$(BIN)/python -m benchmarks.loop_efficiency

bench-year: $(STAMP) ## Run a year of weekly cycles on the demo firm
	@$(BIN)/python -m benchmarks.loop_year

test: $(STAMP) spark check ## Check style, types, import rules, and run every test
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=95

properties: $(STAMP) ## Look for counterexamples for hours (5,000 examples per property)
	@$(BIN)/python -m pytest -n 2 --dist worksteal tests/properties --hypothesis-profile=$(EXAMPLES)

check: lint types layers ## Check style, types and import rules

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

layers: $(STAMP)
	@$(BIN)/lint-imports --no-cache | tail -n 2

SIZE ?= small
# Peers have environments of their own: their needs are not ours, and Featuretools' not the others'.
$(PEERS)%/.installed: benchmarks/peers%.txt
	@$(PYTHON) -m venv $(@D)
	@if $(@D)/bin/python -m pip install --quiet -r $<; then touch $@; \
		else echo "PEERS COULD NOT BE INSTALLED: their rows will say so" >&2; fi

bench: $(STAMP) $(PEERS)-tables/.installed $(PEERS)-featuretools/.installed ## Measure features beside their peers (SIZE=small, medium or large)
	@$(BIN)/python -m benchmarks.features $(SIZE) --peers $(abspath $(PEERS))

lock: ## Renew the locked versions (needs uv); delete the files first to take the newest of all
	$(LOCK) pyproject.toml --group dev --extra postgres --extra serve --output-file requirements.lock
	$(LOCK) pyproject.toml --extra spark --constraint requirements.lock --output-file requirements-spark.all
	awk '/^[a-z]/ {keep = /^(pyspark|py4j)==/} keep' requirements-spark.all > requirements-spark.lock
	rm requirements-spark.all

clean: ## Remove the workspace and caches, keep the environment
	rm -rf .mqlml .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
