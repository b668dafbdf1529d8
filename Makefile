# Two commands on a fresh machine: `make demo` and `make test`. `make help` lists the rest.
PY := .venv/bin/python
MANAGE := DEBUG=1 $(PY) manage.py
RUNTIME := .venv/.installed
SETUP := .venv/.installed-dev
PIP_INSTALL := $(PY) -m pip install -q --disable-pip-version-check
AS_IN_PRODUCTION := env -u DEBUG -u DEMO ALLOWED_HOSTS=portal.example SECRET_KEY=$$(python3 -c 'import secrets; print(secrets.token_urlsafe(60))')

.DEFAULT_GOAL := help
.PHONY: help demo setup run worker test check fix bench screenshots seed shell clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
demo: $(RUNTIME) ## Run everything with invented data: PORT=8000, DATABASE_URL optional; Ctrl-C stops it
	@$(PY) -m handoff_portal.supervisor
setup: $(SETUP) ## Make .venv with the pinned requirements
run: $(RUNTIME) ## Run the web server alone, reloading on changes
	@$(MANAGE) runserver $(or $(PORT),8000)
worker: $(RUNTIME) ## Run a worker alone
	@$(MANAGE) run_worker
test: $(SETUP) ## Run all tests, browser tests included
	@.venv/bin/pytest -q
check: $(SETUP) ## Run every check that CI runs besides the tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	DEBUG=1 .venv/bin/mypy .
	.venv/bin/djlint --lint templates
	.venv/bin/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	$(AS_IN_PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	.ci/audit
fix: $(SETUP) ## Format and repair what can be repaired by machine
	@.venv/bin/ruff check -q --fix . ; .venv/bin/ruff format -q . ; .venv/bin/djlint --reformat --quiet templates
bench: $(SETUP) ## Measure: ONLY=name for one benchmark
	@$(PY) -m bench $(ONLY)
screenshots: $(SETUP) ## Photograph a running demo into docs/screenshots
	@$(PY) docs/take_screenshots.py
seed: $(RUNTIME) ## Load the preset and the demo data into the database
	@DEMO=1 $(MANAGE) prepare_demo
shell: $(RUNTIME) ## Open a Python shell with the models
	@$(MANAGE) shell
clean: ## Forget the environment and all data
	@rm -rf "$$(readlink -f var/postgres)" var .venv staticfiles

$(RUNTIME): requirements.txt constraints.txt
	@python3 -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed.")'
	@test -x $(PY) || python3 -m venv .venv
	@echo "Installing the requirements"; $(PIP_INSTALL) -r requirements.txt
	@$(PY) -c "from handoff_portal.database import make_local_secret; make_local_secret()"
	@touch $@
$(SETUP): $(RUNTIME) requirements-dev.txt
	@echo "Installing what tests and checks need"; $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
