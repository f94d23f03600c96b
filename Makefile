# Everything from a bare Python 3.11: `make demo`, `make test`. The environment is made on first use.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test lint types contract wheel bench docs pictures clean

demo: $(INSTALLED)
	$(BIN)/pagen demo --out demo

test: $(INSTALLED)
	$(BIN)/pytest --numprocesses auto --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# mypy and import-linter want one tree: build/typed/pagen holds links to the folders that install as pagen
types: build/typed/pagen
	$(BIN)/mypy

contract: build/typed/pagen
	cd build && PYTHONPATH=$(CURDIR)/build/typed $(CURDIR)/$(BIN)/lint-imports --config ../pyproject.toml --no-cache

# the wheel, unpacked outside the repository, must run without it
wheel: $(INSTALLED)
	rm -rf build/lib build/wheel && $(BIN)/python -m build --wheel --outdir build/wheel
	$(BIN)/pip install --quiet --no-deps --target build/wheel/site build/wheel/*.whl
	cd build/wheel && PYTHONPATH=site PAGEN_CACHE=cache $(CURDIR)/$(BIN)/python -m pagen prepare --dataset street --size 48 64

bench: $(INSTALLED)
	for claim in benchmarks/*.py; do $(BIN)/python $$claim || exit 1; done

# the site, in build/site; pictures are drawn into docs/ and committed
docs: $(INSTALLED)
	$(BIN)/mkdocs build --strict

pictures: $(INSTALLED)
	$(BIN)/python docs/pictures.py

clean:
	rm -rf .venv build demo *.egg-info

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

build/typed/pagen: $(INSTALLED)
	rm -rf build/typed && mkdir -p $@
	ln -s $(CURDIR)/pagen/* $(CURDIR)/models $(CURDIR)/train $(CURDIR)/eval $@
