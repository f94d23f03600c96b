# Everything from a bare Python 3.11: `make demo`, `make test`. The environment is made on first use.
# What stands behind ## is what `make help` lists.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help quick test check lint types contract wheel demo bench fuzz kills pairs docs pictures clean

help: ## what can be made (the default)
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' $(MAKEFILE_LIST) | awk '{ name = $$1; sub(/^[^:]*: /, ""); printf "  make %-9s %s\n", substr(name, 1, length(name) - 1), $$0 }'

quick: $(INSTALLED) ## the tests to run while one works, a minute on two cores: all that do not train or start processes
	$(BIN)/pytest --numprocesses auto --dist loadfile -m 'not slow'

test: $(INSTALLED) ## all tests
	$(BIN)/pytest --numprocesses auto --dist loadfile

check: lint types contract wheel test ## all that a change must pass; .ci/run runs it

demo: $(INSTALLED) ## the whole way on procedural footage, into demo/
	$(BIN)/pagen demo --out demo

lint: $(INSTALLED) ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# mypy and import-linter want one tree: build/typed/pagen holds links to the folders that install as pagen
types: build/typed/pagen ## mypy --strict
	$(BIN)/mypy

contract: build/typed/pagen ## who may import whom
	cd build && PYTHONPATH=$(CURDIR)/build/typed $(CURDIR)/$(BIN)/lint-imports --config ../pyproject.toml --no-cache

# the wheel, unpacked outside the repository, must run without it
wheel: $(INSTALLED) ## the wheel, built and run outside the repository
	rm -rf build/lib build/wheel && $(BIN)/python -m build --wheel --outdir build/wheel
	$(BIN)/pip install --quiet --no-deps --target build/wheel/site build/wheel/*.whl
	cd build/wheel && PYTHONPATH=site PAGEN_CACHE=cache $(CURDIR)/$(BIN)/python -m pagen prepare --dataset street --size 48 64

kills: $(INSTALLED) ## 300 kills over all verbs, an hour or two: nothing lost, nothing left behind, same bytes
	$(BIN)/python tests/fuzz/kills.py 300

pairs: $(INSTALLED) ## 60 pairs of commands at once on a fresh cache, an hour or two: all end well, same bytes
	$(BIN)/python tests/fuzz/pairs.py 60

bench: $(INSTALLED) ## every claim of speed, timed (on a machine that does nothing else)
	for claim in benchmarks/*.py; do $(BIN)/python $$claim || exit 1; done

fuzz: $(INSTALLED) ## 20,000 mangled files for every reader, minutes; what ends in a traceback lies in build/fuzz
	$(BIN)/python tests/fuzz/fuzz.py

# the site, in build/site; pictures are drawn into docs/ and committed
docs: $(INSTALLED) ## the site, into build/site
	$(BIN)/mkdocs build --strict

pictures: $(INSTALLED) ## the pictures of docs/, drawn anew
	$(BIN)/python docs/pictures.py

clean: ## remove the environment and what was built
	rm -rf .venv build demo *.egg-info

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

build/typed/pagen: $(INSTALLED) $(wildcard pagen/*)
	rm -rf build/typed && mkdir -p $@
	ln -s $(CURDIR)/pagen/* $(CURDIR)/models $(CURDIR)/train $(CURDIR)/eval $@
