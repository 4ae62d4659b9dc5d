# Every command of the project. All of them work inside .venv, which the first one makes.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet
DECODING := tests/unit/test_frames.py tests/unit/test_decode.py tests/unit/test_catalogue.py
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

.PHONY: help demo test test-oldest fuzz bench lab dashboard notebooks docs clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.demo  ## one month of every venue of a simulated brand, as a table and a report
	@$(BIN)/clopos-nb demo

test: .venv/.test  ## lint, types, layers, then every test and notebook
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
	$(BIN)/pytest clopos_nb tests notebooks --doctest-modules --nbval --nbval-current-env --nbval-cell-timeout=60

test-oldest: .venv/.test .venv-oldest/.made  ## the lowest releases that are allowed give the same frames
	.venv-oldest/bin/python -m pytest -q -p no:cacheprovider $(DECODING)
	.venv-oldest/bin/python tests/oldest/frames.py > .venv-oldest/frames.txt
	$(BIN)/python tests/oldest/frames.py | diff - .venv-oldest/frames.txt && echo "The same frames."

fuzz: .venv/.test  ## a minute of bad input to a sandbox, new examples for every property (ARGS="--seconds 10 --seed 3" passes options)
	$(BIN)/python tests/fuzz/fuzz_sandbox.py $(ARGS)
	$(BIN)/pytest -q --hypothesis-profile=default tests/unit

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

clean:  ## remove .venv and everything generated
	rm -rf .venv .venv-oldest clopos-demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The stamps make a second run start at once; a change of pyproject.toml installs again.
.venv/.pip:
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade 'pip>=25.1' && touch $@  # the first pip that reads dependency groups

.venv/.demo: .venv/.pip pyproject.toml
	$(PIP) --editable '.[plots]' && touch $@

.venv/.test: .venv/.pip pyproject.toml
	$(PIP) --editable '.[plots]' --group test --group lint && touch $@

.venv-oldest/.made: .venv/.test pyproject.toml tests/oldest/floors.py
	$(PYTHON) -m venv .venv-oldest
	$(BIN)/python tests/oldest/floors.py > .venv-oldest/floors.txt
	.venv-oldest/bin/python -m pip install --quiet --editable '.[plots]' pytest hypothesis \
	  --constraint .venv-oldest/floors.txt && touch $@

.venv/.lab: .venv/.pip pyproject.toml
	$(PIP) --editable '.[lab]' && touch $@

.venv/.dashboard: .venv/.pip pyproject.toml
	$(PIP) --editable '.[dashboard]' && touch $@
