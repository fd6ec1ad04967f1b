# Everything happens in .venv; nothing outside the checkout is touched.
# PYTHON=/path/to/python3.11 chooses another interpreter.

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
VENV := .venv
BIN := $(VENV)/bin
DEMO := runs/demo
WORKERS ?= 2

.PHONY: help demo test bench interpret lint schema docs clean

help:
	@echo "make demo   trains the Yin-Yang example, compares it on three substrates, and writes reports to $(DEMO)"
	@echo "make test   runs the whole test suite"
	@echo "make bench  compares the speed with other simulators, installed in .bench (WORK=..., PEERS=..., OPTIONS=...)"
	@echo "make interpret  runs kernels of every kind without compiling them, with coverage"
	@echo "make lint   runs ruff, mypy and import-linter"
	@echo "make schema writes cells and options of the backends into schemas/netdesc-1.schema.json"
	@echo "make docs   builds the documentation into site/; open site/index.html"
	@echo "make clean  removes $(VENV), .bench, caches and $(DEMO)"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "netdesc needs Python 3.11 or later; set PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is not Python 3.11 or later; set PYTHON=..." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[plot]"
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

SUBSTRATES := numba,spinnaker2,brainscales2

# evaluate fails if the test accuracy is below what the file expects.
demo: $(VENV)/.demo
	@rm -rf $(DEMO)
	@echo "1. Training examples/yin_yang.yaml; the first run compiles its kernels, which takes some seconds."
	@# A second core compiles for BrainScaleS-2 meanwhile; step 2 finds it done, or does it itself.
	@$(BIN)/netdesc gradient examples/yin_yang.yaml --backend brainscales2 > /dev/null 2>&1 &
	$(BIN)/netdesc train examples/yin_yang.yaml -o $(DEMO)
	$(BIN)/netdesc evaluate examples/yin_yang.yaml --weights $(DEMO)
	$(BIN)/netdesc run examples/yin_yang.yaml --weights $(DEMO) -o $(DEMO)/spikes.h5 --plot $(DEMO)/raster.png
	@echo
	@echo "2. The same weights on three substrates; their kernels compile at first use, which takes minutes."
	$(BIN)/netdesc compare examples/yin_yang.yaml --weights $(DEMO) --backends $(SUBSTRATES) -o $(DEMO)/report.html
	@echo
	@echo "3. Every substrate trains separately, for 8 epochs."
	$(BIN)/netdesc compare examples/yin_yang.yaml training.epochs=8 --train --backends $(SUBSTRATES) \
		-o $(DEMO)/trained.html
	@echo
	@echo "Curve of the training:               $(DEMO)/curve.png"
	@echo "Spikes of one sample:                $(DEMO)/raster.png"
	@echo "Weights and metrics:                 $(DEMO)/weights.h5, $(DEMO)/metrics.csv"
	@echo "Every substrate trained separately:  $(DEMO)/trained.html"
	@echo "The same weights on all substrates:  $(DEMO)/report.html"
	@echo "Open the last two in a browser; they need no network."

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS)

# WORK: some of recurrent,yin_yang,mnist,balanced; PEERS: some of benchmarks/peers/requirements; OPTIONS: any other.
bench: $(VENV)/.demo
	$(BIN)/python benchmarks/peers/run.py $(if $(WORK),--work $(WORK)) $(if $(PEERS),--peers $(PEERS)) $(OPTIONS)

KERNELS := netdesc.dynamics netdesc.ticks netdesc.adjoint netdesc_numba netdesc_spinnaker2 netdesc_brainscales2
# Lines that run, in per cent, where kernels are interpreted.
COVERED ?= 85

interpret: $(VENV)/.dev
	NUMBA_DISABLE_JIT=1 NUMBA_CACHE_DIR=$$(mktemp -d) $(BIN)/python -m pytest -n $(WORKERS) tests/golden \
		tests/models/test_one_cell.py tests/models/test_spikes_of_cells.py \
		tests/models/test_equations_in_a_file.py $(KERNELS:%=--cov=%) \
		--cov-report=term:skip-covered --cov-fail-under=$(COVERED)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.docs: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	@touch $@

# Once .venv is filled this needs no network.
schema: $(VENV)/.dev
	@$(BIN)/netdesc schema > schemas/new.json && mv schemas/new.json schemas/netdesc-1.schema.json

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf site $(VENV) .bench $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
