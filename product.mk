# What needs the product's examples and tests. A company's project (`make new`) has neither them nor this file.
WEEKS ?=
EXAMPLE ?=

.PHONY: new
new: ## make a company's own project, without the examples, in a new folder: TO=../mycompany
	@$(PYTHON) scripts/new.py $(TO)

.PHONY: lock
lock: ## compile requirements*.in into the hashed locks
	@for name in requirements requirements-spark requirements-dev requirements-spark-server; do \
	  case $$name in *-server) own="--python-version 3.11 --no-deps";; *) own="--python-version 3.10";; esac; \
	  uv pip compile --quiet --universal $$own --generate-hashes --no-emit-index-url \
	    --no-annotate --custom-compile-command "make lock" $$name.in -o $$name.txt || exit 1; \
	done

.PHONY: demo
demo: setup ## from nothing to tested marts on the default data; WEEKS=8 for a quick slice, EXAMPLE=hofladen for another company
	@$(if $(EXAMPLE),cd examples/$(EXAMPLE) && DBT_PROFILES_DIR=$(CURDIR) )$(CURDIR)/$(BIN)/journey demo $(if $(WEEKS),--weeks $(WEEKS))

.PHONY: spark
spark: setup-spark ## the same on a Spark cluster of a master and two workers on this machine; WEEKS=8
	@$(BIN)/journey spark demo $(if $(WEEKS),--weeks $(WEEKS))

.PHONY: spark-compare
spark-compare: spark ## both of them, and each table on Spark against PostgreSQL's, row for row; WEEKS=8
	@$(BIN)/journey demo $(if $(WEEKS),--weeks $(WEEKS))
	@$(BIN)/journey spark compare

.PHONY: test-spark
test-spark: setup-dev setup-spark ## the tests that need a Spark cluster, on one of their own, but for the long ones
	@$(TEST_ENV) SPARK=1 $(BIN)/pytest -q -m "not long" tests/python/spark; $(SPARK_DOWN)

.PHONY: prove-spark
prove-spark: setup-dev setup-spark ## on Spark, incremental builds against full refreshes over drawn delivery histories, and builds of which a part is killed; HISTORIES=5
	@$(TEST_ENV) SPARK=1 HISTORIES=$(or $(HISTORIES),5) $(BIN)/pytest -q -s -m long tests/python/spark; $(SPARK_DOWN)

SPARK_DOWN = status=$$?; $(TEST_ENV) $(BIN)/journey spark down >/dev/null; \
  $(TEST_ENV) $(BIN)/journey services down >/dev/null; exit $$status

.PHONY: lint-python
lint-python: setup-dev
	@$(BIN)/ruff check scripts tests/python tests/mutation examples
	@$(BIN)/ruff format --check --quiet scripts tests/python tests/mutation examples
	@$(BIN)/mypy
lint: lint-python

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

.PHONY: trace
trace: setup-dev ## 900 figures of what `make demo` built, each traced to the lines of files; EACH=12 rows of each measure
	@$(BIN)/journey services up >/dev/null
	@DBT_TARGET=demo PYTHONPATH=tests/python $(BIN)/python -m tracing.proving --each $(or $(EACH),12)

.PHONY: answers
answers: setup-dev ## write what the questions of the default data answer on what `make demo` built beside them
	@$(BIN)/journey services up >/dev/null
	@PYTHONPATH=tests/python $(BIN)/python -m oracle.answers

.PHONY: bench-load
bench-load: $(VENV)/.setup ## the loader against psql's \copy, medians of 5 (about 6 minutes); ARGS="--rounds 3 --only gzip", "--peers PYTHON" (of other tools; repeatable), "--bad" or "--listing 200000"
	@$(BIN)/python -m journey.bench.load $(ARGS)

.PHONY: bench-build
bench-build: $(VENV)/.setup ## what a day costs, against a full build and after ten times the history; dbt against psql (about 40 minutes)
	@$(BIN)/python -m journey.bench.build $(ARGS)

.PHONY: bench-spark
bench-spark: setup-spark ## how full builds grow with the data, on PostgreSQL and on Spark with one and with two workers (hours); ARGS="--weeks 3 12"
	@$(BIN)/python -m journey.bench.growth $(ARGS)

.PHONY: explain
explain: $(VENV)/.setup ## dbt run of what arrived, under EXPLAIN: plans, buffers; status 1 if a fact is read whole; ARGS="--select fct_sales"
	@$(BIN)/python -m journey.bench.explain $(ARGS)

.PHONY: prove
prove: $(VENV)/.setup-dev ## incremental builds against full refreshes over newly drawn delivery histories; HISTORIES=100
	@HISTORIES=$(or $(HISTORIES),100) $(BIN)/pytest -q -s tests/python/warehouse/test_incremental.py

.PHONY: mutate
mutate: $(VENV)/.setup-dev ## break the materialization in some hundred ways, one at a time: which test notices (about an hour); ARGS="--only members"
	@PYTHONPATH=tests/python $(BIN)/python -m warehouse.mutate $(ARGS)

.PHONY: areas
areas: $(VENV)/.setup-dev ## all 18 combinations of subject areas, and each feed empty; `make test` builds two, `make test-all` eight and two
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

.PHONY: upgrade-test
upgrade-test: $(VENV)/.setup-dev ## a project and a database of an older commit, brought to now by the steps of docs/upgrade.md (about 5 minutes); ARGS="--from COMMIT --weeks 8"
	@PYTHONPATH=tests/python $(BIN)/python -m upgrading $(ARGS)

.PHONY: pages
pages: $(VENV)/.setup-dev ## follow the tutorial, the page on production and the upgrade from top to bottom, in a new project (about 5 minutes)
	@PAGES=all $(BIN)/pytest -q tests/python/test_pages.py
