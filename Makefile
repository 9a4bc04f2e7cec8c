# make demo: score an example agent on a topology.  make test: run the tests.  make tutorials: execute examples/tutorials.
# All set up everything they need in $(VENV) first; nothing else has to be installed but Python >= 3.11.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
# uv installs minutes sooner than pip; it does not look at pip's settings, so they are passed on.
INSTALL := $(if $(PIP_FIND_LINKS),UV_FIND_LINKS=$(shell echo $(PIP_FIND_LINKS) | tr ' ' ,)) $(if $(PIP_INDEX_URL),UV_DEFAULT_INDEX=$(PIP_INDEX_URL)) \
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt
# A file is one worker's: none makes another's fixtures anew.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
DEMO_RUN := runs/demo

.PHONY: demo test coverage lint docs smoke tutorials clean

demo: $(VENV)/.core
	$(BIN)/edgebench build --region s1
	$(BIN)/edgebench eval examples/my_agent.py --regions s1 --out $(DEMO_RUN) --overwrite
	$(BIN)/edgebench leaderboard --regions s1 --run $(DEMO_RUN)

test: $(VENV)/.dev
	$(PYTEST)

coverage: $(VENV)/.dev
	$(PYTEST) --cov --cov-report=term

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict -p edgebench -p builders -p reference_agents

docs: $(VENV)/.dev
	$(BIN)/python -m mkdocs build --strict
	@echo "build/docs; to look at it: $(BIN)/python -m http.server --directory build/docs"

smoke: $(VENV)/.dev
	$(BIN)/python .ci/smoke.py

tutorials: $(VENV)/.dev
	$(BIN)/python examples/tutorials/execute.py

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* $(DEMO_RUN)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/uv
	$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/uv
	$(INSTALL) -e ".[dev]"
	@touch $@

$(BIN)/uv: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found: install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
