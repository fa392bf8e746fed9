# Every command of the project; `make` alone prints them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCK := deploy/requirements.lock
PEERS := tests/benchmarks/peers/requirements.txt
STAMP := $(VENV)/.installed
SYSTEM := $(VENV)/.system
# Fast: no broker, no registry, no model weights.
FAST := not kafka and not registry and not models and not slow

.PHONY: help setup demo test test-fast test-kafka test-chaos check format lint types bench bench-quick bench-peers eval samples train train-micro lock clean

help: ## Print the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SYSTEM) $(STAMP) ## Install everything into .venv; safe to repeat.

$(SYSTEM):
	@mkdir -p $(VENV)
	@bash deploy/system-packages
	@touch $@

$(STAMP): $(LOCK) pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "make setup: found $$("$(PYTHON)" -V), expected Python 3.11, for which $(LOCK) is made; set PYTHON=…" >&2; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@echo "Installing the locked packages; the first time takes minutes (torch is 6 GB)."
	@awk '/^uv==/{p=1} p{print} p&&!/\\$$/{exit}' $(LOCK) > $(VENV)/uv.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@$(BIN)/uv pip sync -q --compile-bytecode --python $(BIN)/python --require-hashes $(LOCK)
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Watch sample uploads become decisions, on an embedded broker.
	@$(BIN)/headgate demo

test: setup ## Run every test: real Kafka, real registry, real models.
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder # Long files are early in the alphabet.

test-fast: setup ## Run the tests that need no broker and no models.
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "$(FAST)"

test-kafka: setup ## Run the tests that need a real Kafka or registry.
	@$(BIN)/python -m pytest -m "kafka or registry"

test-chaos: setup ## Break everything for an hour: SEED=1 EVENTS=20000 RATE=14.
	@HEADGATE_FUZZ_EXAMPLES=20000 $(BIN)/python -m pytest -q tests/security/test_fuzzing.py
	@$(BIN)/python -m tests.chaos.takeover
	@$(BIN)/python -m pytest -m chaos
	@$(BIN)/python -m tests.chaos.run --seed $(or $(SEED),1) --events $(or $(EVENTS),20000) --rate $(or $(RATE),14)
	@$(BIN)/python -m tests.chaos.fairness
	@$(BIN)/python -m tests.chaos.replay_proof

check: setup lint types test-fast ## Lint, types, layers and fast tests: before every commit.

format: setup ## Format the code.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: setup ## Check style, and the layers' arrows.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

types: setup ## Check types.
	@$(BIN)/mypy

bench: setup bench-peers ## Measure as ratios within one run (15 minutes); prints a table, writes bench.json.
	@$(BIN)/python -m tests.benchmarks

bench-quick: setup bench-peers ## See that every row of the bench runs; its numbers say nothing.
	@$(BIN)/python -m tests.benchmarks --quick --out build/bench-quick.json

# Apart from .venv: Quix Streams pins older packages than ours. Without a network their rows stay empty.
bench-peers: setup ## Install the stream processors that bench compares with, into build/peers.
	@cmp -s $(PEERS) build/peers/.installed || { \
	  $(BIN)/uv pip install -q --python $(BIN)/python --target build/peers --no-deps -r $(PEERS) \
	  && cp $(PEERS) build/peers/.installed; } || echo "make bench-peers: not installed; bench says so in their rows"

eval: setup ## Measure how good the scores are; writes scorecard.json and scorecard.html.
	@$(BIN)/headgate eval --data ../shared/data

samples: setup ## Make the demo's samples anew (needs espeak-ng).
	@$(BIN)/python deploy/samples/make_samples.py

train: setup ## Train the text model's adapter and the risk head from ../shared/data (at most an hour on two cores).
	@$(BIN)/headgate train --data ../shared/data --out streams/scorers/weights
	@$(BIN)/python -m streams.training.long_form --data ../shared/data

train-micro: setup ## Train the micro Whisper of the tests (needs espeak-ng).
	@$(BIN)/python -m encoders.micro

lock: setup ## Resolve the dependencies anew into the lock.
	@$(BIN)/uv pip compile -q pyproject.toml --group dev --extra offline-asr --extra fast-asr --extra audio-fingerprint --extra parquet \
	  --python-version 3.11 --python-platform x86_64-manylinux_2_28 --upgrade \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -o $(LOCK)

clean: ## Remove what was built; .venv stays.
	@rm -rf build dist bench.json scorecard.json scorecard.html .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
