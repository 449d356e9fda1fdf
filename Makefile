PYTHON ?= python3
BIN = .venv/bin
EXTRAS = --extra catalog --extra carts --extra orders --extra accounts --extra tracing --extra run
COMPILE = uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header pyproject.toml
.DEFAULT_GOAL = help
.PHONY: help run dev cassandra cassandra-cluster drill prometheus dashboards bench images up down containers prove test lint browser lock environment tools audit-packages sbom chaos chaos-long

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: environment ## The whole shop on http://localhost:8080/; FRESH=1 forgets what earlier runs left
	@$(BIN)/python -m deploy.local

dev: environment ## The whole shop in one process that restarts when a file changes, on port 8080
	@$(BIN)/python -m deploy.local.dev

cassandra: environment ## Apache Cassandra on 127.0.0.1; then: make run CASSANDRA_HOST=127.0.0.1
	@$(BIN)/python -m deploy.cassandra

cassandra-cluster: environment ## Three nodes of it, on 127.0.0.1 to 127.0.0.3
	@$(BIN)/python -m deploy.cassandra 3

drill: environment ## A shop on three nodes loses two of them in turn while 200 people buy
	@$(BIN)/python -m deploy.cassandra.drill

prometheus: environment ## Prometheus on http://localhost:9090/, watching what make run started
	@$(BIN)/python -m deploy.prometheus

dashboards: tools ## Grafana's dashboards anew, from deploy/grafana/tables/
	@$(BIN)/python -m deploy.grafana

images: ## The four container images; needs Docker or podman
	@$(PYTHON) -m deploy.containers build

up: ## The shop in containers, on port 80; PROFILES=demo,observability for demo mode and monitoring
	@$(PYTHON) -m deploy.containers up

down: ## Stops it; data and keys stay
	@$(PYTHON) -m deploy.containers down

containers: tools ## Builds the images and tries the shop in containers; needs podman, root and Debian
	@REQUIRE_CONTAINERS=1 $(BIN)/python -m pytest -m containers

prove: environment ## A drill for a shop of its own: crowds, double clicks, kill -9, the audit, a verdict
	@SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') $(BIN)/python manage.py prove --start

bench: tools ## How fast it is beside FastAPI and beside nothing at all; some eight minutes
	@$(BIN)/python -m tests.bench

test: lint ## Everything that has to hold before a commit, but the browser tests
	@$(BIN)/python -m pytest -m "not browser and not containers" --ignore tests/chaos

chaos: tools ## Kills, pauses, bad networks, crowds; docs/checks.md. STORE=cassandra: on a node of its own
	@CHAOS_STORE=$(STORE) $(BIN)/python -m pytest tests/chaos tests/gateway/test_limits.py -m chaos

chaos-long: tools ## The same with the full numbers, which takes long
	@CHAOS_LONG=1 CHAOS_STORE=$(STORE) $(BIN)/python -m pytest tests/chaos tests/gateway/test_limits.py -m chaos --timeout 7200

lint: tools ## Style, import contracts, types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy

browser: tools ## The pages, used through a real browser
	@$(BIN)/python -m pytest -m browser

audit-packages: tools ## Known holes in the locked packages; says so where nobody can be asked
	@$(BIN)/python -m deploy.packages audit

sbom: tools ## What the shop is made of, as CycloneDX in .run/sbom.json
	@$(BIN)/python -m deploy.packages sbom

lock: ## New versions of the packages within pyproject.toml's bounds; needs uv
	@$(COMPILE) --upgrade $(EXTRAS) --output-file requirements.lock
	@$(COMPILE) --upgrade $(EXTRAS) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

environment:
	@$(PYTHON) deploy/local/install.py requirements.lock

tools:
	@$(PYTHON) deploy/local/install.py requirements-dev.lock
