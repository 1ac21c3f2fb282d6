# `make` says what there is. Everything runs from a fresh clone: what a target needs, it installs.
# DATABASE_URL and REDIS_URL point elsewhere if set; otherwise private servers under .local/ serve.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install servers stop status migrate demo test check lint types night lock schema bench clean clean-servers

export PATH := $(CURDIR)/.venv/bin:$(PATH)
LOCAL := $(or $(LOCAL_DIR),.local)
WITH_SERVERS := deploy/local/servers run
MANAGE := .venv/bin/python manage.py
SCRIPTS := deploy/local/servers deploy/local/demo deploy/local/lanes
NPM := npm --prefix frontend run --silent
HAS_CONSOLE := [ -e frontend/package-lock.json ]

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## packages, .venv, the console; does nothing where nothing is missing
	@deploy/local/install

servers: install ## start the private PostgreSQL and Redis, and leave them running
	@deploy/local/servers start
	@deploy/local/servers status

stop: ## stop the private servers
	@deploy/local/servers stop

status: ## say whether they run
	@deploy/local/servers status

migrate: install ## bring the database up to date
	@$(WITH_SERVERS) $(MANAGE) migrate --verbosity 1

demo: install ## everything at once with a simulated fleet, in the foreground; ^C ends it
	@$(WITH_SERVERS) deploy/local/demo

test: install lint types ## everything: checks, all tests, the browser; ends with pytest's summary
	@if $(HAS_CONSOLE); then $(NPM) test; fi
	@$(WITH_SERVERS) $(MAKE) --no-print-directory up-to-date
	@deploy/local/lanes $(or $(ARGS),--cov)

check: install lint types ## what must pass before each push, in under three minutes
	@if $(HAS_CONSOLE); then $(NPM) test; fi
	@$(WITH_SERVERS) $(MAKE) --no-print-directory up-to-date
	@deploy/local/lanes -q -m "not slow and not browser" $(ARGS)

.PHONY: up-to-date
up-to-date: # what is written from the code (migrations, schema), and settings fit for production
	@$(MANAGE) makemigrations --check --dry-run
	@PUBLIC_URL=https://tracker.example $(MANAGE) check --deploy --fail-level WARNING
	@$(MANAGE) spectacular --validate --fail-on-warn --file $(LOCAL)/openapi.yaml
	@diff -u docs/openapi.yaml $(LOCAL)/openapi.yaml || { echo "the API changed: run \`make schema\`"; exit 1; }

lint: install
	@.venv/bin/ruff check . $(SCRIPTS)
	@.venv/bin/ruff format --check . $(SCRIPTS)
	@.venv/bin/lint-imports --no-logo
	@if $(HAS_CONSOLE); then $(NPM) lint; fi

types: install
	@deploy/local/servers run .venv/bin/mypy .
	@.venv/bin/mypy --scripts-are-modules $(SCRIPTS)
	@if $(HAS_CONSOLE); then $(NPM) check; fi

night: check ## all tests with many more examples, then every benchmark, briefly
	@HYPOTHESIS_PROFILE=night $(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory bench ARGS=--quick

lock: ## compile deploy/requirements/*.in, with hashes; ARGS=--upgrade for newer ones
	@cd deploy/requirements && for name in tools node run dev; do \
	    ../../.venv/bin/uv pip compile --quiet $(ARGS) --generate-hashes --no-header --no-annotate \
	        --no-emit-index-url --no-emit-find-links --python-version 3.11 --override overrides.txt \
	        $$name.in --output-file $$name.txt || exit 1; \
	done

schema: install ## write docs/openapi.yaml, the live columns and the console's types from the code
	@$(WITH_SERVERS) $(MANAGE) spectacular --validate --fail-on-warn --file docs/openapi.yaml
	@$(WITH_SERVERS) $(MANAGE) write_live_columns
	@if $(HAS_CONSOLE); then $(NPM) types; fi

bench: install ## every benchmark in benchmarks/, with nothing else running
	@failed=0; for file in $(filter-out benchmarks/__init__.py,$(wildcard benchmarks/*.py)); do \
	    echo "== $$file"; $(WITH_SERVERS) .venv/bin/python $$file $(ARGS) || failed=1; \
	done; for file in $(wildcard benchmarks/*.mjs); do \
	    echo "== $$file"; node $$file $(ARGS) || failed=1; \
	done; exit $$failed

clean: stop ## throw away what was built and installed here, but not the database
	@rm -rf .venv frontend/node_modules frontend/dist static $(LOCAL)/*.sum
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

clean-servers: ## throw away the private servers with everything in them
	@if [ -d $(LOCAL)/second ]; then \
	    LOCAL_DIR=$(LOCAL)/second deploy/local/servers stop && \
	    LOCAL_DIR=$(LOCAL)/second deploy/local/servers discard; \
	fi
	@if [ -d $(LOCAL) ]; then deploy/local/servers stop && deploy/local/servers discard; fi
