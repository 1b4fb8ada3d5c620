# leuko: `make demo` runs the main job on a shipped example, `make test` sets up and passes every check.
# Needs only Python 3.11 or later and make; everything else is set up below this folder.

UV      = $$(scripts/find-uv)
RUN     = $(UV) run --frozen --no-sync
SYNC    = $(UV) sync --frozen --extra pdf --extra forecast --extra cohort --extra survival --extra service --compile-bytecode --quiet
STAMP   = .venv/.ready
SOURCES = src tests scripts bench

.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# One environment for all targets: the locked versions, the PDF extra and the development tools.
$(STAMP): pyproject.toml uv.lock scripts/find-uv
	@scripts/find-uv >/dev/null
	@$(SYNC) || { echo "trying again with the certificates of this machine" >&2; UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 $(SYNC); }
	@$(if $(CI),$(SYNC) --extra spark || echo "Spark could not be set up: its test is skipped" >&2)
	@touch $@

.PHONY: setup
setup: $(STAMP)  ## Set up uv and the locked environment in .venv

.PHONY: demo
demo: setup  ## Assess the shipped example person; writes out/demo.html beside the view in the terminal
	@mkdir -p out
	@$(RUN) leuko demo --html out/demo.html

.PHONY: test
test: setup browser check tests  ## Everything: lint, types, floors, knowledge, docs, tests

.PHONY: check
check: lint types floors knowledge docs-check  ## All checks that are no tests

.PHONY: lint
lint: setup
	@$(RUN) ruff check $(SOURCES)
	@$(RUN) ruff format --check $(SOURCES)

.PHONY: format
format: setup  ## Put the code into the house's form
	@$(RUN) ruff check --fix $(SOURCES)
	@$(RUN) ruff format $(SOURCES)

.PHONY: types
types: setup
	@$(RUN) mypy

.PHONY: floors
floors: setup
	@$(RUN) lint-imports

.PHONY: knowledge
knowledge: setup
	@$(RUN) leuko knowledge check

.PHONY: docs-check
docs-check: setup
	@$(RUN) python scripts/docs.py --check

.PHONY: docs
docs: docs-check  ## Check that the generated pages of docs/ are those of the code, and build the site in out/site
	@NO_MKDOCS_2_WARNING=1 $(UV) run --frozen --isolated --only-group docs mkdocs build --quiet
	@echo "out/site/index.html"

.PHONY: docs-write
docs-write: setup  ## Write the generated pages of docs/ and the published JSON Schema anew
	@$(RUN) leuko schema > .venv/schema.json && cp .venv/schema.json src/leuko/data/schema/assessment-1.0.json
	@$(RUN) python scripts/docs.py

.PHONY: validation
validation: setup  ## Judge the forecasts (minutes) and write their page; DATA=folder of real counts
	@$(RUN) python scripts/validation.py $(DATA)

.PHONY: pictures
pictures: setup browser  ## Draw the pictures of the README from the real demo
	@$(RUN) python scripts/pictures.py

.PHONY: fhir-validator
fhir-validator:  ## Set up the R4 validator of npm in .tools; without it that test is skipped
	@npm install --silent --no-save --no-audit --no-fund --prefix .tools/fhir fhir@4.12.0

.PHONY: browser
browser:
	@scripts/find-browser

.PHONY: tests
tests: setup
	@$(RUN) pytest -n auto --dist worksteal

.PHONY: bench
bench: setup  ## Measure start-up and one assessment
	@$(RUN) python bench/startup.py

.PHONY: wheel
wheel:  ## Build the wheel, install it with pip alone, and run the demo from it outside the repository
	@scripts/try-wheel

.PHONY: container
container:  ## Build the image with buildah and try it: checked, fed, served, stopped, started again (minutes)
	@scripts/try-container

.PHONY: clean
clean:  ## Remove what `make` made
	rm -rf .venv .tools out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
