# Everything happens in .venv; each target installs what it needs. Only Python >= 3.10, git and
# make must be there. PYTHON=python3.12 chooses another interpreter for a new .venv.
PYTHON ?= python3
BIN := .venv/bin
LINKS := build/links

.PHONY: help demo test test-lowest test-newest check format lint links types contracts fuzz soak bench gpu study docs screenshots clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.run ## a range test on the built-in digits (headless if there is no terminal)
	@$(BIN)/clr-tui range-test --data digits --seeds 3

test: .venv/.dev ## the whole test suite
	@$(BIN)/python -m pytest -n 2

# Each in a new venv of its own. The lowest versions have wheels for Python 3.10 and 3.11 only: uv
# finds that Python or downloads it; LOWEST_PYTHON can also be the path of one.
LOWEST_PYTHON ?= 3.10

test-lowest: $(BIN)/uv ## the test suite with the lowest versions that pyproject.toml allows
	@$(BIN)/uv venv --quiet --clear --python $(LOWEST_PYTHON) .venv-lowest
	@$(BIN)/uv pip install --quiet --python .venv-lowest --resolution lowest-direct --editable '.[dev]'
	@.venv-lowest/bin/python -m pytest -n 2

test-newest: $(BIN)/uv ## the test suite with the newest versions that pyproject.toml allows
	@$(BIN)/uv venv --quiet --clear --python $(PYTHON) .venv-newest
	@$(BIN)/uv pip install --quiet --python .venv-newest --editable '.[dev]'
	@.venv-newest/bin/python -m pytest -n 2

check: format lint types contracts ## every static check

format: .venv/.dev
	@$(BIN)/ruff format --check .

lint: .venv/.dev
	@$(BIN)/ruff check .

# The folders engine/ and tui/ are the packages clr_tui.engine and clr_tui.tui; the type checker and
# the import linter read no editable installs, so they are shown links of those names.
links:
	@mkdir -p $(LINKS)/clr_tui
	@ln -sfn ../../../clr_tui/__init__.py $(LINKS)/clr_tui/__init__.py
	@ln -sfn ../../../clr_tui/library $(LINKS)/clr_tui/library
	@ln -sfn ../../../clr_tui/callbacks $(LINKS)/clr_tui/callbacks
	@ln -sfn ../../../engine $(LINKS)/clr_tui/engine
	@ln -sfn ../../../tui $(LINKS)/clr_tui/tui
	@ln -sfn ../../pyproject.toml $(LINKS)/pyproject.toml

types: .venv/.dev links
	@MYPYPATH=$(LINKS) $(BIN)/mypy -p clr_tui

contracts: .venv/.dev links
	@cd $(LINKS) && $(CURDIR)/$(BIN)/lint-imports

# COUNT=1000 SEED=7 for others than the first ten thousand.
fuzz: .venv/.dev ## ten thousand damaged files for all readers (half an hour)
	@$(BIN)/python tests/fuzz/fuzz.py --count $(or $(COUNT),10000) --seed $(or $(SEED),0)
	@$(BIN)/python tests/fuzz/fuzz.py --count $(or $(COUNT),10000) --seed $(or $(SEED),0) --torch

soak: .venv/.dev ## end real workers at random moments for an hour or so, resume and compare them
	@$(BIN)/python tests/faults/soak.py --rounds $(or $(ROUNDS),50) --seed $(or $(SEED),0)

bench: .venv/.run ## all benchmarks beside what people use today (DATA=DIR for images of your own)
	@$(BIN)/python tests/benchmarks/run.py $(if $(DATA),--data $(DATA))

gpu: .venv/.dev ## the check on a machine with an NVIDIA GPU (PARTS="facts probe"; DEVICE=cpu TINY=1: a dry run)
	@DEVICE=$(or $(DEVICE),cuda) TINY=$(TINY) bash tests/gpu/check.sh $(PARTS)

study: .venv/.dev ## measure what advice costs: trains for hours, goes on where it was ended
	@$(BIN)/python tests/study/run.py
	@peers="$$($(BIN)/python tests/benchmarks/peers_environment.py)" && \
	"$$peers" tests/study/library_rules.py tests/study/results && \
	"$$peers" -m pytest -q tests/study/test_library_rules.py
	@$(BIN)/python tests/study/report.py
	@$(BIN)/python tests/study/comparisons/statistics_study.py

docs: .venv/.run ## write the pages of docs/ that are made from the code
	@$(BIN)/python docs/make.py

screenshots: .venv/.dev ## make every picture in screenshots/ anew, from real runs
	@$(BIN)/python screenshots/make.py

clean: ## remove what these targets made
	rm -rf .venv .venv-lowest .venv-newest build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 10) else f"clr-tui needs Python 3.10 or newer; {sys.executable} is {v[0]}.{v[1]}. Name another: make PYTHON=python3.12 ...")'
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml | .venv/bin/python
	@echo "Installing clr-tui and what it needs (PyTorch is large: some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.dev: .venv/.run
	@echo "Installing what the tests and checks need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.venv/bin/uv: | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
