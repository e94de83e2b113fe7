# Everything starts here: `make demo` shows it, `make test` proves it, `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEEKS ?=
EXAMPLE ?=
YES ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

INSTALL = $(BIN)/pip install --quiet --no-deps

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.PHONY: setup
setup: $(VENV)/.setup ## a virtual environment with what the demo needs, and profiles.yml

# The locks are complete, so pip resolves nothing: it checks each file against its hash and unpacks it.
$(VENV)/.setup: requirements.txt pyproject.toml profiles.yml.example
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "setup: installing the locked packages into $(VENV)"
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-build-isolation --editable .
	@test -e profiles.yml || cp profiles.yml.example profiles.yml
	@cmp -s profiles.yml.example profiles.yml || echo "setup: profiles.yml is yours and stays; it differs from profiles.yml.example"
	@touch $@

.PHONY: setup-dev
setup-dev: $(VENV)/.setup-dev ## the same with linters and test tools

$(VENV)/.setup-dev: $(VENV)/.setup requirements-dev.txt
	@echo "setup: installing the locked development packages"
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: lock
lock: ## compile requirements*.in into the hashed locks
	@for name in requirements requirements-dev; do \
	  uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
	    --no-annotate --custom-compile-command "make lock" $$name.in -o $$name.txt || exit 1; \
	done

.PHONY: demo
demo: setup ## from nothing to tested marts on the default data; WEEKS=8 for a quick slice, EXAMPLE=hofladen for another company
	@$(if $(EXAMPLE),cd examples/$(EXAMPLE) && DBT_PROFILES_DIR=$(CURDIR) )$(CURDIR)/$(BIN)/journey demo $(if $(WEEKS),--weeks $(WEEKS))

.PHONY: docs
docs: setup ## write the docs site of what `make demo` built
	@$(BIN)/journey services up >/dev/null && $(BIN)/journey docs --target demo

# Tests and SQL lint run on services of their own, so that they never touch what `make demo` built.
TEST_ENV = JOURNEY_LOCAL_DIR=$(CURDIR)/.local/test

.PHONY: lint
lint: setup-dev ## ruff, mypy, sqlfluff
	@$(BIN)/ruff check scripts tests/python tests/mutation examples
	@$(BIN)/ruff format --check --quiet scripts tests/python tests/mutation examples
	@$(BIN)/mypy
	@$(TEST_ENV) $(BIN)/journey services up >/dev/null
	@eval "$$($(TEST_ENV) $(BIN)/journey env)" && $(BIN)/sqlfluff lint --disable-progress-bar $(wildcard models tests analyses snapshots examples/completejourney); \
	  status=$$?; $(TEST_ENV) $(BIN)/journey services down >/dev/null; exit $$status

.PHONY: test
test: lint ## lint, then the tests on the real services, in two workers, but for the long ones
	@$(BIN)/pytest -n 2 -m "not long"

.PHONY: test-all
test-all: lint ## the same with the long ones: more combinations, more files (about twice the time)
	@$(BIN)/pytest -n 2

.PHONY: oracle
oracle: setup-dev ## each marketing and sales mart again from the source, compared row by row with what `make demo` built
	@$(BIN)/journey services up >/dev/null
	@JOURNEY_ORACLE=1 $(BIN)/pytest tests/python/oracle

.PHONY: answers
answers: setup-dev ## write what the questions of the default data answer on what `make demo` built beside them
	@$(BIN)/journey services up >/dev/null
	@PYTHONPATH=tests/python $(BIN)/python -m oracle.answers

.PHONY: upgrade
upgrade: ## merge a later version; what .company names stays exactly as it is: TO=v0.2.0
	@scripts/upgrade $(TO)

.PHONY: down
down: ## stop the embedded services; the data stays
	@$(BIN)/journey services down

.PHONY: clean
clean: ## remove the services' data and everything that was generated, once you say yes; YES=1 doesn't ask
	@test -n "$(YES)" || { read -r -p "Remove .local with its databases, target, site and logs? [y/N] " answer; \
	  [[ "$$answer" == [yY]* ]]; } || { echo "nothing was removed" >&2; exit 1; }
	@$(MAKE) --no-print-directory down
	rm -rf .local target site logs

.PHONY: bench-load
bench-load: $(VENV)/.setup ## the loader against psql's \copy, medians of 5 (about 6 minutes); ARGS="--rounds 3 --only gzip", "--peers PYTHON" (of other tools; repeatable), "--bad" or "--listing 200000"
	@$(BIN)/python -m journey.bench.load $(ARGS)

.PHONY: bench-build
bench-build: $(VENV)/.setup ## what a day costs, against a full build and after ten times the history; dbt against psql (about 15 minutes)
	@$(BIN)/python -m journey.bench.build $(ARGS)

.PHONY: explain
explain: $(VENV)/.setup ## dbt run of what arrived, under EXPLAIN: plans, buffers; status 1 if a fact is read whole; ARGS="--select fct_sales"
	@$(BIN)/python -m journey.bench.explain $(ARGS)

.PHONY: prove
prove: $(VENV)/.setup-dev ## incremental builds against full refreshes over newly drawn delivery histories; HISTORIES=100
	@HISTORIES=$(or $(HISTORIES),100) $(BIN)/pytest -q -s tests/python/warehouse/test_incremental.py

.PHONY: mutate
mutate: $(VENV)/.setup-dev ## break the materialization in some ninety ways, one at a time: which test notices (about an hour); ARGS="--only members"
	@PYTHONPATH=tests/python $(BIN)/python -m warehouse.mutate $(ARGS)

.PHONY: areas
areas: $(VENV)/.setup-dev ## all 18 combinations of subject areas, and each feed empty; `make test` builds eight and two
	@AREAS=all $(BIN)/pytest -q tests/python/areas

.PHONY: truth
truth: $(VENV)/.setup-dev ## campaigns, placements and more over generated worlds whose truth is known: do intervals cover it (about 30 minutes); ESTIMATES=4000 SEED=1
	@ESTIMATES=$(or $(ESTIMATES),4000) SEED=$(or $(SEED),1) $(BIN)/pytest -q -s tests/python/truth

.PHONY: mutate-marts
mutate-marts: $(VENV)/.setup-dev ## change the SQL of marts in many small ways: a unit test must see each (about 3 minutes); ARGS=campaign of those so named
	@PYTHONPATH=tests:tests/python $(BIN)/python -m mutation.units $(ARGS)

.PHONY: chaos
chaos: $(VENV)/.setup-dev ## kill loaders and PostgreSQL, cut streams, until 200 kills met one at work: nothing lost, nothing doubled (about 10 minutes)
	@PYTHONPATH=tests/python $(BIN)/python -m loader.chaos $(ARGS)

.PHONY: chaos-publish
chaos-publish: $(VENV)/.setup-dev ## readers of all marts, while 200 builds run, fail, are killed and rolled back: no reading is mixed or untested (about 20 minutes); ARGS="--builds 50"
	@PYTHONPATH=tests/python $(BIN)/python -m publishing.chaos $(ARGS)
