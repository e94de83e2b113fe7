# The company's own targets: an upgrade leaves this file as it is.

.PHONY: test
test: setup-dev ## load what is in the bucket of services of their own (nothing at first), build all of it with every test; then lint
	@$(TEST_ENV) $(BIN)/journey services up >/dev/null
	@eval "$$($(TEST_ENV) $(BIN)/journey env)" && $(BIN)/journey load && $(BIN)/journey build --all --target ci; \
	  status=$$?; $(TEST_ENV) $(BIN)/journey services down >/dev/null; exit $$status
	@$(MAKE) --no-print-directory lint
