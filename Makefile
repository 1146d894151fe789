# Two commands for everybody: `make demo` and `make test`. Each sets up all it needs.
PYTHON ?= python3
export PYTHON
# Where images set it, every process of a demo or a test would compile all its code again.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin

.PHONY: demo test search lint format simulate torture bench lock

demo: ## a simulated shop, 60 days in a minute, then a console to look around in
	@scripts/setup
	@$(BIN)/hark demo

test: ## the whole suite
	@scripts/setup test
	@$(BIN)/pytest -n 2 --dist loadgroup -m "not torture"

search: ## the suite's property tests with examples that nobody has seen; what fails says how to draw it again
	@scripts/setup test
	@$(BIN)/pytest -n 2 --dist loadgroup -m "not torture" --hypothesis-profile search -k "$(or $(ONLY),)"

lint: ## types and style
	@scripts/setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format:
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

torture: ## the long kill, fault and simulation loops (an hour or more)
	@scripts/setup test
	@$(BIN)/pytest -m torture -s

simulate: ## 10,000 simulated days against the reference model; SEED=8 DAYS=40 lives one world again
	@scripts/setup test
	@$(BIN)/python -m tests.simulate --seed $(or $(SEED),1001) --worlds $(if $(SEED),1,200) --days $(or $(DAYS),50)

bench: ## speed, beside a limit or a rival in the same run
	@scripts/setup bench
	@$(BIN)/python -m bench

lock: ## renew requirements.lock: hashes, no addresses (needs uv)
	uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --universal --python-version 3.11 --upgrade -o requirements.lock
