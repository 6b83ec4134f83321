# `make` shows the targets. Needs Python 3.11 or newer with its venv module, bash, git and tar; the rest is installed
# into .venv (or .venv-demo) beside this file.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
NS := $(shell sed -n 's/^namespace: *//p' galaxy.yml)
NAME := $(shell sed -n 's/^name: *//p' galaxy.yml)
VERSION := $(shell sed -n 's/^version: *//p' galaxy.yml)
ROOT := $(CURDIR)
VENV := $(ROOT)/.venv
DEMO := $(ROOT)/.venv-demo
# tools that do not go together with those of .venv
IMPORTER := $(ROOT)/.venv-importer
NOX := $(ROOT)/.venv-nox
SESSIONS ?= formatters codeqa yamllint typing docs-check license-check build-import-check ansible-lint sanity units
LINK := $(ROOT)/.cache/collections/ansible_collections/$(NS)/$(NAME)
TREE := $(ROOT)/.cache/ansible-test/ansible_collections/$(NS)/$(NAME)
PIP := -m pip install --quiet --disable-pip-version-check
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")
# ansible-core:Python pairs of the matrix
CORES ?= 2.18:3.11 2.20:3.12 2.21:3.13
EMPTY :=
PYENV_ROOT ?= $(HOME)/.pyenv
# for the matrix only: the shims of pyenv answer for versions that are not switched on and then fail
PYBINS := $(subst $(EMPTY) ,:,$(wildcard $(PYENV_ROOT)/versions/3.*/bin))
PYVER = $$($(VENV)/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

export PATH := $(VENV)/bin:$(PATH)
export LC_ALL := C.UTF-8
export ANSIBLE_COLLECTIONS_PATH := $(ROOT)/.cache/collections
export ANSIBLE_HOME := $(ROOT)/.cache/ansible
# never a Python found by looking around: it may be one without requests
export ANSIBLE_PYTHON_INTERPRETER := $(VENV)/bin/python

PLAIN = export NO_COLOR=1 ANSIBLE_NOCOLOR=1

.PHONY: help setup demo test check lint unit integration packaging faults bench bench-faults sanity units molecule matrix docs
.PHONY: endpoints pictures package wheel tree clean check-coverage check-package check-docs check-importer check-nox check-matrix check-changelog

help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.done: requirements-dev.txt requirements-demo.txt
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	echo "Setting up .venv ..."
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP) -r requirements-dev.txt
	touch $@

$(DEMO)/.done: requirements-demo.txt
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	echo "Setting up .venv-demo ..."
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python $(PIP) -r requirements-demo.txt
	touch $@

$(LINK):
	@mkdir -p $(@D)
	ln -sfn ../../../.. $@

setup: $(VENV)/.done $(LINK) ## virtual environment, and the checkout under its collection name

# the small environment, unless the large one is there
demo: $(if $(wildcard $(VENV)/.done),$(VENV)/.done,$(DEMO)/.done) $(LINK) ## take a release of three projects through its gates against the simulator, twice
	@if [ -e $(VENV)/.done ]; then tools/demo.sh $(VENV); else tools/demo.sh $(DEMO); fi

test: lint unit integration packaging sanity ## what a change must pass

check: test units check-coverage check-package check-changelog check-docs check-importer check-nox check-matrix ## all checks there are; longer

lint: setup ## ruff, mypy, yamllint, ansible-lint, changelog, documentation, licences
	@$(PLAIN)
	ruff check .
	ruff format --check .
	mypy -p ansible_collections.$(NS).$(NAME).plugins
	yamllint --strict .
	ansible-lint --offline
	shellcheck .ci/run tools/*.sh
	antsibull-changelog lint
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
	reuse lint --quiet || { reuse lint; exit 1; }

unit: setup ## pytest: units, contract, simulator
	@$(PLAIN)
	dirs=; for dir in tests/unit tests/contract tests/simulator_tests; do
	  [ -z "$$(find $$dir -name 'test_*.py' 2>/dev/null)" ] || dirs="$$dirs $$dir"
	done
	pytest -q -n 2 $$dirs --cov --cov-report=term

integration: setup ## pytest: tasks and real ansible-playbook processes against the simulator, also under faults
	@$(PLAIN)
	pytest -q -n 2 tests/integration tests/faults tests/benchmarks 2>&1 | tee .cache/integration.log
	if grep -q 'token-0123456789' .cache/integration.log; then echo "A token is in the output of the tests."; exit 1; fi

packaging: setup ## pytest: the tarball, the wheel, and playbooks from both; also under ansible-runner and ansible-navigator
	@$(PLAIN)
	pytest -q -n 2 tests/packaging -m 'not fresh'

molecule: setup ## the role and its scenarios against the simulator, without containers
	@$(PLAIN)
	molecule test --all

faults: setup ## the whole fault matrix and SEQUENCES random sequences of faults: make faults SEED=1
	@$(PLAIN)
	python -m tests.faults --sequences $(or $(SEQUENCES),10000) $(if $(SEED),--seed $(SEED))
	JOBGATE_FAULT_ROUNDS=10 pytest -q -n 2 tests/faults/test_races.py

bench: setup ## compare the speed with others, a long table: make bench ROUNDS=5 ONLY=1a,2a
	@$(PLAIN)
	python -m tests.benchmarks.speed --rounds $(or $(ROUNDS),5) $(if $(ONLY),--only $(ONLY))

bench-faults: setup ## compare with python-gitlab and ansible.builtin.uri under the same faults (quickly: QUICK=1)
	@$(PLAIN)
	python -m tests.benchmarks.faults $(if $(QUICK),--quick)

tree: setup
	@mkdir -p $(TREE) $(HOME)/.ansible/test/cache
	find $(TREE) -mindepth 1 -maxdepth 1 ! -name .git ! -name tests -exec rm -rf {} +
	[ ! -d $(TREE)/tests ] || find $(TREE)/tests -mindepth 1 -maxdepth 1 ! -name output -exec rm -rf {} +
	git ls-files -z -co --exclude-standard --deduplicate | tar --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -xf - -C $(TREE)
	[ -d $(TREE)/.git ] || git init -q $(TREE)
	for v in 24_2 25_2; do
	  f=$(HOME)/.ansible/test/cache/get_pip_$$v.py; [ -e $$f ] || cp tools/get_pip.py $$f
	done

sanity: tree ## ansible-test sanity
	@$(PLAIN)
	cd $(TREE)
	ansible-test sanity --python $(PYVER) --color no 2>&1 | tee $(ROOT)/.cache/sanity.log
	if grep 'All targets skipped' $(ROOT)/.cache/sanity.log; then exit 1; fi

units: tree ## ansible-test units
	@$(PLAIN)
	cd $(TREE)
	ansible-test units --venv --python $(PYVER) --color no 2>&1 | tee $(ROOT)/.cache/units.log
	grep -q ' passed' $(ROOT)/.cache/units.log
	if grep -E 'no tests ran|crashed workers|All targets skipped' $(ROOT)/.cache/units.log; then exit 1; fi

matrix: tree ## other versions of ansible-core: units, sanity, integration
	@$(PLAIN)
	export PATH=$(if $(PYBINS),$(PYBINS):)$$PATH
	ran=
	for pair in $(CORES); do
	  core=$${pair%:*}; py=$${pair#*:}; v=$(ROOT)/.venv-core-$$core
	  python$$py -c '' 2>/dev/null || { echo "ansible-core $$core: no Python $$py here, skipped"; continue; }
	  [ -e $$v/.done ] || {
	    python$$py -m venv $$v
	    grep -vE '^ansible-core' requirements-demo.txt > $(ROOT)/.cache/requirements-matrix.txt
	    grep -E '^(hypothesis|pytest|pytest-xdist|python-gitlab|responses)==' requirements-dev.txt >> $(ROOT)/.cache/requirements-matrix.txt
	    $$v/bin/python $(PIP) "ansible-core~=$$core.0" -r $(ROOT)/.cache/requirements-matrix.txt
	    touch $$v/.done
	  }
	  echo "=== ansible-core $$core on Python $$py"
	  ( export PATH=$$v/bin:$$PATH ANSIBLE_PYTHON_INTERPRETER=$$v/bin/python
	    pytest -q -n 2 tests/unit tests/contract tests/integration
	    cd $(TREE)
	    status=0; ansible-test sanity --python $$py --color no > $(ROOT)/.cache/sanity-$$core.log 2>&1 || status=$$?
	    if [ $$status != 0 ] || grep -q 'All targets skipped' $(ROOT)/.cache/sanity-$$core.log; then
	      cat $(ROOT)/.cache/sanity-$$core.log; exit 1
	    fi
	    echo "sanity passed" )
	  ran="$$ran $$core"
	done
	[ -n "$$ran" ] || { echo "None of the interpreters is here."; exit 1; }

docs: setup ## HTML documentation in build/docs/build/html
	@$(PLAIN)
	rm -rf build/docs && mkdir -p build/docs
	antsibull-docs sphinx-init --use-current --dest-dir build/docs --lenient $(NS).$(NAME)
	printf '\nintersphinx_mapping = {}\nsuppress_warnings = ["ref.ref"]\n' >> build/docs/conf.py
	build/docs/build.sh

endpoints: setup ## the table of endpoints in docs/docsite/rst/endpoints.rst, from the catalogue
	@python tools/endpoints_table.py

pictures: setup ## the pictures of the README, from a run of the demo; needs chromium
	@tools/pictures.sh $(VENV)

package: setup ## tarball in build/
	@$(PLAIN)
	ansible-galaxy collection build --force --output-path build .

wheel: setup ## wheel in build/
	@$(PLAIN)
	python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build .

check-package: setup ## the wheel by one pip install in a new environment
	@$(PLAIN)
	pytest -q tests/packaging -m fresh

check-docs: docs ## documentation of all plugins, and the HTML pages without a warning
	@$(PLAIN)
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .

# in a copy: a release empties the folder of the fragments
check-changelog: tree ## whether a release could be made now
	@$(PLAIN)
	antsibull-changelog lint
	rm -rf .cache/release && mkdir -p .cache/release/ansible_collections/$(NS)
	cp -r $(TREE) .cache/release/ansible_collections/$(NS)/$(NAME)
	cd .cache/release/ansible_collections/$(NS)/$(NAME)
	unset ANSIBLE_COLLECTIONS_PATH
	antsibull-changelog release --version $(VERSION) --date 2026-01-01 > /dev/null
	grep -q '$(VERSION)' CHANGELOG.md
	antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml
	echo "A release of $(VERSION) could be made."

$(IMPORTER)/.done:
	@$(PYTHON) -m venv $(IMPORTER)
	$(IMPORTER)/bin/python $(PIP) galaxy-importer==0.4.44 'ansible-core~=2.19.0' pluggy requests
	touch $@

# it ends with status 0 whatever it finds
check-importer: package $(IMPORTER)/.done ## what Galaxy checks on upload
	@$(PLAIN)
	mkdir -p .cache/importer && cd .cache/importer
	unset ANSIBLE_COLLECTIONS_PATH
	PATH=$(IMPORTER)/bin:$$PATH python -m galaxy_importer.main $(ROOT)/build/$(NS)-$(NAME)-$(VERSION).tar.gz 2>&1 | tee ../importer.log
	if grep -E '^(ERROR|WARNING)|Traceback' ../importer.log; then exit 1; fi
	grep -q 'Importer processing completed successfully' ../importer.log

$(NOX)/.done:
	@$(PYTHON) -m venv $(NOX)
	$(NOX)/bin/python $(PIP) antsibull-nox==1.10.0 'ansible-core~=2.19.0'
	touch $@

check-nox: tree $(NOX)/.done ## the sessions of antsibull-nox
	@$(PLAIN)
	unset ANSIBLE_COLLECTIONS_PATH ANSIBLE_HOME
	PATH=$(NOX)/bin:$$PATH nox -R -e $(SESSIONS)

check-coverage: setup ## lines and branches of the inner folders that unit and contract tests reach, at least 95 % of each
	@$(PLAIN)
	pytest -q -n 2 tests/unit tests/contract --cov --cov-report= --cov-report=json:.cache/coverage.json
	python tools/check_coverage.py .cache/coverage.json

check-matrix: matrix ## the tests and ansible-test sanity with other versions of ansible-core

clean: ## remove what was made
	@rm -rf .cache .nox build .venv .venv-* .hypothesis .pytest_cache .mypy_cache .ruff_cache .coverage
