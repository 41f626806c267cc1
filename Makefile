# The two commands of the README are `make demo` and `make test`; each sets up .venv where that is needed.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test pytest environment lint docs services services-stop benchmark clean

# A stamp is named by what was installed, where and from which lists: nothing changed, nothing to do.
LISTS := pyproject.toml constraints.txt .ci/venv
KEY := $(shell { cat $(LISTS); pwd; } | cksum | cut -d' ' -f1)
FOR_DEMO := .venv/.installed-$(KEY)
FOR_TEST := .venv/.installed-test-$(KEY)

help:
	@echo 'make demo   Li3PO4 from the formula to demo/report/, a few minutes'
	@echo 'make test   ruff, mypy, the site and every test'
	@echo 'make lint   ruff and mypy'
	@echo 'make docs   the site of documentation, in site/; a warning, or a link to nothing, is an error'
	@echo 'make services, services-stop   a MongoDB and a Slurm on loopback, for the tests that need them (as root)'
	@echo 'make benchmark   the engine beside its peers; hours, on a quiet machine'
	@echo 'make clean  remove caches and demo/, keep .venv'

demo: $(FOR_DEMO)
	.venv/bin/tachylite run Li3PO4 --protocol quickstart --store demo/store --report demo/report

test: lint docs pytest

pytest: $(FOR_TEST)
	.venv/bin/python -m pytest -n auto --dist worksteal --durations=20

environment: $(FOR_TEST)

lint: $(FOR_TEST)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

docs: $(FOR_TEST)
	.venv/bin/python -m sphinx --quiet --fail-on-warning --keep-going --builder dirhtml docs site

services: $(FOR_TEST)
	tools/services start
	@echo 'now: source .services/env'

services-stop:
	tools/services stop

benchmark: $(FOR_TEST)
	benchmarks/peer_environment
	for name in dynamics averages volume_search; do .venv/bin/python -m benchmarks.$$name; done

clean:
	rm -rf demo dist build site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests -type d -name __pycache__ -exec rm -rf {} +

$(FOR_DEMO):
	.ci/venv '.'
	@touch $@

$(FOR_TEST):
	.ci/venv '.[test]'
	@touch $@ $(FOR_DEMO)
