# The commands of this project; `make` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
ALL := $(VENV)/.all

# Debian keeps `venv` in a package of its own.
INSTALL_VENV = { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
  apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; } || \
  { echo "$(PYTHON) cannot make a virtual environment: apt-get install python3-venv"; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help setup demo test chaos check format bench bench-gpt-sovits bench-cuda bench-queue bench-queue-load bench-queue-parts clean

help:  ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 26

# --- Installing -----------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Voxmill needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(INSTALL_VENV) && $(PYTHON) -m venv $(VENV); }

$(BASE): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(ALL): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all,dev]'
	@touch $@ $(BASE)

setup: $(ALL)  ## Install everything, test tools included, into .venv.

# --- Using ----------------------------------------------------------------------------------

demo: $(BASE)  ## Render the example book into out/demo and say how to listen.
	@$(BIN)/voxmill models pull whisper-base
	@$(BIN)/voxmill render examples/the-tide-clock.md --out out/demo --formats m4b,mp3 --subtitles srt,vtt

# --- Working on it --------------------------------------------------------------------------

# How often a test that failed is tried again. Processes are killed and stopped by the clock in some,
# so that a stall of a borrowed machine may fail one: CI allows a second try, and lists who needed it.
RERUNS ?=
PYTEST = $(BIN)/pytest -q -n 2 $(if $(RERUNS),--reruns $(RERUNS))

check: $(ALL)  ## Lint, types, imports and unit tests; under two minutes.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --quiet 2>/dev/null || $(BIN)/lint-imports
	$(PYTEST) -m "not slow" tests/unit

test: $(ALL)  ## Everything `check` does, and the tests with real models and real files.
	$(MAKE) --no-print-directory check
	$(PYTEST) -m slow tests/unit
	$(PYTEST) --dist loadfile tests --ignore tests/unit

chaos: $(ALL)  ## Kill, freeze and cut off workers, Redis and S3 while jobs run; takes an hour.
	CHAOS_RESULTS=bench/results/chaos.json $(BIN)/pytest -q tests/chaos -m "chaos or not chaos"

format: $(ALL)  ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(ALL)  ## Measure: speed, memory, word errors, checking, alignment.
	$(BIN)/python -m bench

bench-gpt-sovits: $(ALL)  ## Measure the voice-cloning engine on the processor.
	$(BIN)/python -m bench.gpt_sovits

bench-cuda: $(ALL)  ## Measure the voice-cloning engine on a CUDA GPU.
	$(BIN)/python -m bench.gpt_sovits_cuda

bench-queue: $(ALL)  ## Measure what the queue costs: the same book with it and without.
	$(BIN)/python -m bench.queue_overhead

bench-queue-load: $(ALL)  ## Measure the queue with 1,000 jobs and 100,000 chunks.
	$(BIN)/python -m bench.queue_load

bench-queue-parts: $(ALL)  ## Measure the ledger in Redis, and the memory of a finalizer.
	$(BIN)/python -m bench.queue_ledger
	$(BIN)/python -m bench.queue_finalizer

clean:  ## Remove what was installed and made.
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .hypothesis
