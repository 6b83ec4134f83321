# `make` shows the targets. nox does the work: `make SESSION` runs any session of noxfile.py, and ARGS are its options,
# as in `make faults ARGS="--seed 1"`. Needs Python 3.11 or newer with its venv module, bash and git; everything else is
# installed into .venv (for the demo alone into .venv-demo, and with Java into .venv-events) beside this file.
PYTHON ?= python3
LINK := .cache/collections/ansible_collections/jobgate/gitlab
# what the third act of the demo needs beside Java
EVENTS := $(if $(or $(JAVA_HOME),$(shell command -v java)),.venv-events/.done)
DEMO := $(if $(wildcard .venv/.done),.venv,.venv-demo)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")
SESSIONS := $(sort test check bench docs $(filter-out help setup demo clean say-how-long %/.done $(LINK),$(MAKECMDGOALS)))
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
.NOTPARALLEL:
.PHONY: help setup demo clean say-how-long $(SESSIONS)

help:
	@printf '%s\n' 'make demo   releases against the simulator: one that passes, one that does not, one that a hook starts' \
	  'make test   what a change must pass; about eleven minutes' 'make check  all checks; longer' 'make bench  compare the speed with others' \
	  'make docs   HTML documentation in build/docs/build/html' 'make setup  the development environment, .venv' 'make clean  remove what was made'
	@if [ -x .venv/bin/nox ]; then .venv/bin/nox --list; else echo 'After `make setup` this also lists the sessions of nox.'; fi
$(SESSIONS): $(if $(filter test,$(MAKECMDGOALS)),say-how-long) setup
	@.venv/bin/nox -R -e $@ $(if $(ARGS),-- $(ARGS))
say-how-long:
	@echo 'make test takes about eleven minutes on two idle cores, and the first time some more to set up .venv.'
setup: .venv/.done $(LINK)
demo: $(DEMO)/.done $(LINK) $(EVENTS)
	@tools/demo.sh $(CURDIR)/$(DEMO)
.venv/.done: requirements-dev.txt
.venv/.done .venv-demo/.done: requirements-demo.txt
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	@echo "Setting up $(@D) ..." && $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $(or $(filter %-dev.txt,$^),$^) && touch $@
# where it cannot be installed, the demo leaves its third act out
.venv-events/.done: requirements-events.txt requirements-demo.txt
	@echo "Setting up $(@D) ..." && $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --disable-pip-version-check -r $< > $(@D)/pip.log 2>&1 && touch $@ \
	  || echo "ansible-rulebook cannot be installed here; $(@D)/pip.log says why."
$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@
clean:
	@rm -rf .cache .nox build .venv .venv-* .hypothesis .pytest_cache .mypy_cache .ruff_cache .coverage
