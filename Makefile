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
LINK := $(ROOT)/.cache/collections/ansible_collections/$(NS)/$(NAME)
TREE := $(ROOT)/.cache/ansible-test/ansible_collections/$(NS)/$(NAME)
PIP := -m pip install --quiet --disable-pip-version-check
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")
# ansible-core:Python pairs of the matrix
CORES ?= 2.18:3.11 2.21:3.13
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

.PHONY: help setup demo test lint unit integration faults bench bench-faults sanity units matrix docs endpoints package tree clean

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
demo: $(if $(wildcard $(VENV)/.done),$(VENV)/.done,$(DEMO)/.done) $(LINK) ## play a release against the simulator, twice
	@if [ -e $(VENV)/.done ]; then tools/demo.sh $(VENV); else tools/demo.sh $(DEMO); fi

test: lint unit integration sanity ## what a change must pass

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

package: setup ## tarball in build/
	@$(PLAIN)
	ansible-galaxy collection build --force --output-path build .

clean: ## remove what was made
	@rm -rf .cache build .venv .venv-* .hypothesis .pytest_cache .mypy_cache .ruff_cache .coverage
