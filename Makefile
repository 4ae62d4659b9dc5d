# Every command of the project. All of them work inside .venv, which the first one makes.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet
# Two at once, the tests of a file and the cells of a notebook in their order.
EVERYTHING := clopos_nb tests notebooks --doctest-modules --nbval --nbval-current-env --nbval-cell-timeout=60 \
  --numprocesses=2 --dist=loadfile
DECODING := tests/unit/test_frames.py tests/unit/test_decode.py tests/unit/test_catalogue.py
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-annotate --custom-compile-command "make lock"
LAST_COMMIT = $(shell git log -1 --format=%ct)
SBOM ?= build/sbom.json
SBOM_OF ?= build/locked/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

.PHONY: help demo test test-oldest test-newest fuzz soak mutate bench lab dashboard notebooks docs lock sbom release clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.demo  ## one month of every venue of a simulated brand, as a table and a report
	@$(BIN)/clopos-nb demo

test: .venv/.test  ## lint, types, layers, then every test and notebook
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
	$(BIN)/pytest $(EVERYTHING)

test-oldest: .venv/.test .venv-oldest/.made  ## the lowest releases that are allowed give the same frames
	.venv-oldest/bin/python -m pytest -q -p no:cacheprovider $(DECODING)
	.venv-oldest/bin/python tests/oldest/frames.py > .venv-oldest/frames.txt
	$(BIN)/python tests/oldest/frames.py | diff - .venv-oldest/frames.txt && echo "The same frames."

test-newest: .venv-newest/.made  ## every test with the newest releases, instead of the locked ones
	.venv-newest/bin/pytest $(EVERYTHING)

fuzz: .venv/.test  ## a minute of bad input to a sandbox, new examples for every property (ARGS="--seconds 10 --seed 3" passes options)
	$(BIN)/python tests/fuzz/fuzz_sandbox.py $(ARGS)
	$(BIN)/pytest -q --hypothesis-profile=default tests/unit tests/hostile

soak: .venv/.test  ## a client polls a busy brand through a bad network (ARGS="--minutes 10 --write docs/reliability/soak.md")
	$(BIN)/python tests/soak/soak.py $(ARGS)

mutate: .venv/.mutate  ## change wire, tokens, quota and fetch line by line: which changes does no test see? (ARGS="clopos_nb.wire*")
	$(BIN)/mutmut run --max-children 2 $(ARGS)
	$(BIN)/mutmut results

bench: .venv/.test  ## run every benchmark and print its figures
	@set -e; for each in $(sort $(wildcard benchmarks/*.py)); do echo "== $$each"; $(BIN)/python $$each; done

lab: .venv/.lab  ## open JupyterLab on the first notebook (ARGS="--no-browser" passes options)
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/01_quickstart.ipynb $(ARGS)

dashboard: .venv/.dashboard  ## the explorer as a page of its own (ARGS="--no-browser --theme=dark" passes options)
	$(BIN)/voila notebooks/dashboard.ipynb $(ARGS)

# Timings, widget state and how output was cut into pieces differ between any two runs, and widget
# state may hold what was typed.
notebooks: .venv/.lab  ## run the notebooks again and store their outputs
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb \
	  --ExecutePreprocessor.store_widget_state=False --ExecutePreprocessor.record_timing=False
	$(BIN)/jupyter nbconvert --to notebook --inplace --coalesce-streams notebooks/*.ipynb

docs: .venv/.test  ## write the pages that are made from code
	$(BIN)/python -m clopos_nb.tables.markdown > docs/tables.md
	$(BIN)/pytest -q tests/faults && $(BIN)/python -m tests.faults.page > docs/reliability.md

lock: .venv/.test  ## move the locked releases to the newest (then run the tests)
	$(LOCK) --upgrade --all-extras --group test --group lint --group release -o .ci/locked.txt
	$(LOCK) --upgrade --resolution lowest-direct --extra plots --group oldest -o .ci/oldest.txt

# The extras that our own code imports from; those of lab and dashboard are servers beside it.
build/locked/.made: .venv/.test
	rm -rf $(@D) && $(BIN)/uv venv --quiet --python $(BIN)/python $(@D)
	$(LOCK) --quiet --constraint .ci/locked.txt --extra plots --extra keyring --extra explore --extra store -o $(@D)/run.txt
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --require-hashes -r $(@D)/run.txt && touch $@

# The tool reads a version that is written down, not one that hatch looks up.
sbom: build/locked/.made  ## write what the package brings along, as CycloneDX, to build/sbom.json
	mkdir -p build
	sed "s/^dynamic = .*/version = \"$$($(BIN)/hatchling version)\"/" pyproject.toml > build/pyproject.toml
	SOURCE_DATE_EPOCH=$(LAST_COMMIT) $(BIN)/cyclonedx-py environment --pyproject build/pyproject.toml \
	  --mc-type library --output-reproducible $(ARGS) -o $(SBOM) $(SBOM_OF)

release: sbom  ## wheel and source archive, the same bytes wherever they are built, in dist/, and the SBOM
	rm -rf dist
	SOURCE_DATE_EPOCH=$(LAST_COMMIT) $(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/* && cp $(SBOM) dist/

clean:  ## remove .venv and everything generated
	rm -rf .venv .venv-oldest .venv-newest clopos-demo build dist mutants .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The stamps make a second run start at once; a change of pyproject.toml installs again.
.venv/.made:
	$(PYTHON) -m venv .venv && touch $@

.venv/.demo: .venv/.made pyproject.toml
	$(PIP) --editable '.[plots]' && touch $@

# Just the files that were locked, whatever came out since.
.venv/.test: .venv/.made pyproject.toml .ci/locked.txt
	$(PIP) --no-deps --require-hashes -r .ci/locked.txt
	$(PIP) --no-deps --no-build-isolation --editable . && touch $@

.venv-oldest/.made: pyproject.toml .ci/oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --no-deps --require-hashes -r .ci/oldest.txt
	.venv-oldest/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . && touch $@

.venv-newest/.made: pyproject.toml
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip install --quiet --upgrade pip  # reads dependency groups since 25.1
	.venv-newest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager \
	  --editable . --group test --group lint --group release && touch $@

.venv/.mutate: .venv/.test
	$(PIP) 'mutmut>=3.8' && touch $@

.venv/.lab: .venv/.made pyproject.toml
	$(PIP) --editable '.[lab]' && touch $@

.venv/.dashboard: .venv/.made pyproject.toml
	$(PIP) --editable '.[dashboard]' && touch $@
