# make quickstart   install, train on synthetic digits, score, transcribe
# make test         install, then ruff, mypy, codespell and pytest
# make quick        the tests that take no longer than seconds each
# make docs         install, then build the documentation into site/
# PYTHON=python3.12 chooses the interpreter (3.10, 3.11 or 3.12).

PYTHON ?= python3
BIN := .venv/bin

.PHONY: quickstart test quick docs clean

quickstart: .venv/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" bash recipes/synth_digits/run.sh

test: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	@# Tests of training mostly wait for processes that they start: beside the others.
	@export OMP_NUM_THREADS=1; log=.venv/tests-of-training.log; \
	$(BIN)/python -m pytest tests/training > $$log 2>&1 & training=$$!; \
	$(BIN)/python -m pytest --ignore tests/training; others=$$?; \
	wait $$training; status=$$?; cat $$log; exit $$((others || status))

quick: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow"

docs: .venv/installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[docs]' \
	|| $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# uv is fast; where it cannot reach the package index, pip, set up by the
# machine's owner, perhaps can. Both compile the libraries, which commands would
# else do anew each time where PYTHONDONTWRITEBYTECODE is set.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 12) else "Python %d.%d found, expected 3.10 to 3.12; choose one by: make PYTHON=python3.12" % v)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "the Python module venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev,synth]' \
	|| $(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev,synth]'
	touch $@

clean:
	rm -rf .venv dist .pytest_cache .ruff_cache
