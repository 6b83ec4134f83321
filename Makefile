# `make` lists the targets. `make SESSION` runs any session of noxfile.py with nox. Its options are in ARGS, as in
# `make faults ARGS="--seed 1"`. Requires Python 3.11 or newer with its venv module, bash and git. Everything else is
# installed into .venv in this folder (for the demo into .venv-demo, and into .venv-events if there is Java).
PYTHON ?= python3
LINK := .cache/collections/ansible_collections/jobgate/gitlab
# in addition to Java, the third part of the demo requires these packages
EVENTS := $(if $(or $(JAVA_HOME),$(shell command -v java)),.venv-events/.done)
DEMO := $(if $(wildcard .venv/.done),.venv,.venv-demo)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required: make PYTHON=python3.12")
SESSIONS := $(sort test check bench docs $(filter-out help setup demo clean say-how-long %/.done $(LINK),$(MAKECMDGOALS)))
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
.NOTPARALLEL:
.PHONY: help setup demo clean say-how-long $(SESSIONS)

help:
	@printf '%s\n' 'make demo   run releases against the simulator: one passes, one fails, a hook starts one' \
	  'make test   run the checks that every change must pass (about sixteen minutes)' 'make check  run all checks (longer)' 'make bench  compare the speed with others' \
	  'make docs   build HTML documentation in build/docs/build/html' 'make setup  create .venv for development' 'make clean  remove generated files'
	@if [ -x .venv/bin/nox ]; then .venv/bin/nox --list; else echo 'After `make setup`, this also lists the nox sessions.'; fi
$(SESSIONS): $(if $(filter test,$(MAKECMDGOALS)),say-how-long) setup
	@.venv/bin/nox -R -e $@ $(if $(ARGS),-- $(ARGS))
say-how-long:
	@echo 'make test takes about sixteen minutes on two idle cores. The first run takes longer because it creates .venv.'
setup: .venv/.done $(LINK)
demo: $(DEMO)/.done $(LINK) $(EVENTS)
	@tools/demo.sh $(CURDIR)/$(DEMO)
.venv/.done: requirements-dev.txt
.venv/.done .venv-demo/.done: requirements-demo.txt
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	@echo "Setting up $(@D) ..." && $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $(or $(filter %-dev.txt,$^),$^) && touch $@
# if the installation fails, the demo skips its third part
.venv-events/.done: requirements-events.txt requirements-demo.txt
	@echo "Setting up $(@D) ..." && $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --disable-pip-version-check -r $< > $(@D)/pip.log 2>&1 && touch $@ \
	  || echo "Could not install ansible-rulebook; see $(@D)/pip.log."
$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@
clean:
	@rm -rf .cache .nox build .venv .venv-* .hypothesis .pytest_cache .mypy_cache .ruff_cache .coverage
