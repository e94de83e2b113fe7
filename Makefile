# Everything starts here: `make help` lists the targets. What needs the product's examples and tests stands in product.mk;
# a company's project (`make new`) has company.mk in its place.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
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

SPARK := .venv-spark

.PHONY: setup-spark
setup-spark: $(SPARK)/.setup ## the same with dbt's adapter for Spark, and in an environment of its own Spark and a Java

$(SPARK)/.setup: $(VENV)/.setup requirements-spark.txt requirements-spark-server.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Spark needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make setup-spark PYTHON=python3.12")'
	@echo "setup: installing the locked packages for Spark into $(VENV) and $(SPARK)"
	@$(INSTALL) --require-hashes -r requirements-spark.txt
	@test -x $(SPARK)/bin/pip || $(PYTHON) -m venv $(SPARK)
	@$(SPARK)/bin/pip install --quiet --no-deps --require-hashes -r requirements-spark-server.txt
	@touch $@

.PHONY: docs
docs: setup ## write the site of what the embedded services hold: figures, charts, models, lineage
	@$(BIN)/journey services up >/dev/null && $(BIN)/journey docs --target demo

NAME ?=

.PHONY: dev
dev: setup ## a shell with schemas of your own on top of production's: NAME=alice; `exit` leaves it
	@exports=$$($(BIN)/journey dev $(NAME)) && eval "$$exports" && exec "$${SHELL:-/bin/bash}"

.PHONY: dev-clean
dev-clean: setup ## drop these schemas again, and nobody else's: NAME=alice
	@$(BIN)/journey dev $(NAME) --clean

# Tests and SQL lint run on services of their own, so that they never touch what you built.
TEST_ENV = JOURNEY_LOCAL_DIR=$(CURDIR)/.local/test

.PHONY: lint
lint: setup-dev ## check the style of SQL; in the product's repository, that of Python and its types, too
	@$(TEST_ENV) $(BIN)/journey services up >/dev/null
	@eval "$$($(TEST_ENV) $(BIN)/journey env)" && $(BIN)/sqlfluff lint --disable-progress-bar $(wildcard models tests analyses snapshots examples/completejourney); \
	  status=$$?; $(TEST_ENV) $(BIN)/journey services down >/dev/null; exit $$status

-include product.mk company.mk

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
