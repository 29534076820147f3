# The commands of the project. They need make and Python 3.11 or newer; everything else is installed into .venv.

BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test lint bench mutants months format messages fonts lock clean

help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-8s %s\n' "$$name" "$$what"; done

run: .venv/requirements.txt ## Start the whole service with demonstration data 启动网站（PORT=8001 换端口，DEMO=0 不装演示数据）
	@exec $(BIN)/python -m zhoushan_consult.embedded

test: .venv/requirements-dev.txt ## Run every test, with PostgreSQL, Redis and a browser if they are installed
	@.ci/test

lint: .venv/requirements-dev.txt ## Check style, types, one-way imports, templates, migrations and deployment settings
	@.ci/lint

bench: .venv/requirements-dev.txt ## Measure pages, routing, similar questions, settling and lists; some minutes
	@$(BIN)/python -m bench

mutants: .venv/requirements-dev.txt ## Mutation testing of the modules that keep a promise; ARGS="triage/review"
	@$(BIN)/python .ci/mutants.py $(ARGS)

months: .venv/requirements-dev.txt ## Play the service at random for months; ARGS="--seeds 1-20 --months 10 --database postgres"
	@$(BIN)/python -m e2e.months $(ARGS)

format: .venv/requirements-dev.txt ## Format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

messages: ## Compile the catalogue of sentences after a change of django.po; needs gettext
	@msgfmt --check-format --output-file zhoushan_consult/locale/zh_Hans/LC_MESSAGES/django.mo \
		zhoushan_consult/locale/zh_Hans/LC_MESSAGES/django.po

fonts: .venv/requirements-dev.txt ## Build the fallback faces of the PDFs again; ARGS: folders with HanaMin and DejaVu
	@$(BIN)/python .ci/fonts.py $(ARGS)

lock: .venv/requirements-dev.txt ## Pin the newest versions that requirements*.in allow, with hashes
	@.ci/lock

clean: ## Remove the environment and the caches; var/, the data of make run, stays
	rm -rf .venv .mutants.json.gz .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The copy of the lock file in .venv records what is installed. If the lock file is newer, it is installed again.
.venv/requirements.txt: requirements.txt
	@.ci/venv requirements.txt

.venv/requirements-dev.txt: requirements-dev.txt .venv/requirements.txt
	@.ci/venv requirements-dev.txt
