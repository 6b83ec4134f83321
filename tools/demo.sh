#!/usr/bin/env bash
# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run docs/examples/release-gate.yml against the simulator, twice for a release that passes and once for one that fails, and
# a rulebook if there is Java: `tools/demo.sh FOLDER_OF_A_VIRTUAL_ENVIRONMENT [OPTION ...]`. The options are passed to
# ansible-playbook. Files are written to a new folder in build/, or to DEMO_FOLDER. The rulebook runs in the virtual
# environment DEMO_EVENTS (default: .venv-events).
set -eu -o pipefail

cd "$(dirname "$0")/.."
venv=$1
shift
python=$venv/bin/python
playbook=docs/examples/release-gate.yml
scenario=docs/examples/release-gate-scenario.yml
# seconds of the simulator's clock per real second
scale=60
mkdir -p build
folder=${DEMO_FOLDER:-$(mktemp -d "$PWD/build/demo.XXXX")}
shown=${folder#"$PWD"/}

# The demo only talks to the simulator: it must not use the user's address or token of a real GitLab.
for name in $(compgen -v | grep -E '^(GITLAB_|CI_|JOBGATE_)' || true); do unset "$name"; done
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
# The user's Ansible configuration must not change the output.
export ANSIBLE_CONFIG=$folder/ansible.cfg ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
export ANSIBLE_COLLECTIONS_PATH=$PWD/.cache/collections ANSIBLE_HOME=$PWD/.cache/ansible
export ANSIBLE_PYTHON_INTERPRETER=$python
if [ -n "${DEMO_COLOR:-}" ] || { [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; }; then export ANSIBLE_FORCE_COLOR=1; else export ANSIBLE_NOCOLOR=1; fi

mkdir -p "$folder"
rm -f "$folder/address"
: > "$folder/ansible.cfg"
"$python" -m tests.simulator --scenario "$scenario" --clock "scaled:$scale" --address-file "$folder/address" --quiet \
  > "$folder/simulator.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 300); do
  [ ! -s "$folder/address" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ ! -s "$folder/address" ]; then
  echo "The simulator did not start:" >&2
  cat "$folder/simulator.log" >&2
  exit 1
fi
read -r GITLAB_API_URL _ < "$folder/address"
GITLAB_TOKEN=$("$python" -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["tokens"][0]["token"])' "$scenario")
export GITLAB_API_URL GITLAB_TOKEN

# regular expression for lines that are not shown
hidden='^$'
# Run the playbook and show the progress of jobs and gates: `release NAME RELEASE [OPTION ...]`.
release() {
  local name=$1 release=$2 status=0
  shift 2
  mkdir -p "$folder/$name"
  "$venv/bin/ansible-playbook" "$playbook" -e "records=$folder/$name" -e "release=$release" "$@" 2>&1 | tee "$folder/$name.log" \
    | grep -E --line-buffered '^[^ ]*(group/|localhost.*ok=)|^[^ ]* +"[^"]*: (wait|play|retry|verify) ' \
    | grep -vE --line-buffered "$hidden" \
    | sed -u 's/^\([^ ]*\) *"\(.*\)",\{0,1\}/\1  \2/; s/ *unreachable=.*failed=/ failed=/; s/ *skipped=.*//' || status=$?
  # without a recap the playbook did not run: show its whole output
  grep -qE 'ok=[0-9]' "$folder/$name.log" || { cat "$folder/$name.log" >&2; return "$status"; }
}

printf 'The GitLab simulator is running. Its clock runs %s times as fast as real time: one minute takes one second.\n' "$scale"
printf '\nFirst run of v1.2.0: releases three projects.\n'
release first v1.2.0 "$@"
printf '\nSecond run: nothing left to do.\n'
hidden=': (passed|not reached)[" ]'
release second v1.2.0 "$@"
printf '\nv1.3.0: its deployment fails, so the gate does not open.\n'
release shut v1.3.0 "$@"
"$python" -c 'import json, sys; print("  " + json.load(open(sys.argv[1]))["message"])' "$folder/shut/release-v1.3.0.json"

tools/demo_events.sh "${DEMO_EVENTS:-$PWD/.venv-events}" "$folder/events"

# Fail if the runs did not do what the demo says.
if ! grep -qE 'changed=[1-9]' "$folder/first.log"; then echo "The first run changed nothing." >&2; exit 1; fi
if grep -qE 'changed=[1-9]' "$folder/second.log"; then echo "The second run changed something." >&2; exit 1; fi
if ! grep -qE 'failed=1' "$folder/shut.log"; then echo "The gate opened, but its job should have failed." >&2; exit 1; fi

hooked=$(compgen -G "$folder/events/pipeline-*.html" || true)

printf '\nFiles to look at next:\n'
printf '  %-46s %s\n' "$shown/first/release-v1.2.0.html" 'report of the first run, for a browser' \
  "$shown/shut/release-v1.3.0.html" 'report of the gate that did not open' \
  "$shown/first/release-v1.2.0.json" 'record of the first run, for programs' \
  "$shown/first.log" 'complete output of ansible-playbook' \
  "$playbook" 'the playbook' "$scenario" 'the scenario of the simulator' \
  ${hooked:+"${hooked#"$PWD"/}" 'report of the gate that a hook opened'}
