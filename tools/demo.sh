#!/usr/bin/env bash
# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run docs/examples/release-gate.yml twice against the simulator: `tools/demo.sh FOLDER_OF_A_VIRTUAL_ENVIRONMENT
# [OPTION ...]`, with further options for ansible-playbook.
set -eu -o pipefail

cd "$(dirname "$0")/.."
venv=$1
shift
python=$venv/bin/python
playbook=docs/examples/release-gate.yml
scenario=docs/examples/release-gate-scenario.yml
scratch=$PWD/.cache/demo
records=$PWD/build/demo

# The demo talks to the simulator and nothing else: what the user has set for a real GitLab must not reach it,
# neither an address nor a token.
for name in $(compgen -v | grep -E '^(GITLAB_|CI_|JOBGATE_)' || true); do unset "$name"; done
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
# Neither must the user's own configuration of Ansible change what is shown.
export ANSIBLE_CONFIG=$scratch/ansible.cfg ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
export ANSIBLE_COLLECTIONS_PATH=$PWD/.cache/collections ANSIBLE_HOME=$PWD/.cache/ansible
export ANSIBLE_PYTHON_INTERPRETER=$python
if [ -n "${DEMO_COLOR:-}" ] || { [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; }; then export ANSIBLE_FORCE_COLOR=1; else export ANSIBLE_NOCOLOR=1; fi

mkdir -p "$scratch" "$records"
: > "$scratch/ansible.cfg"
rm -f "$scratch/address"
"$python" -m tests.simulator --scenario "$scenario" --clock scaled:60 --address-file "$scratch/address" --quiet \
  > "$scratch/simulator.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  [ ! -s "$scratch/address" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ ! -s "$scratch/address" ]; then
  echo "The simulator did not start:" >&2
  cat "$scratch/simulator.log" >&2
  exit 1
fi
read -r GITLAB_API_URL _ < "$scratch/address"
GITLAB_TOKEN=$("$python" -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["tokens"][0]["token"])' "$scenario")
export GITLAB_API_URL GITLAB_TOKEN

printf '\nFirst run: three projects are released.\n'
"$venv/bin/ansible-playbook" "$playbook" -e "records=$records" "$@" | tee "$scratch/first.log"
cp "$records/release-v1.2.0.html" "$records/first-run.html"
printf '\nSecond run: nothing is left to do.\n'
"$venv/bin/ansible-playbook" "$playbook" -e "records=$records" "$@" | tee "$scratch/second.log"

# A demo that shows something else than it says is a failure.
if ! grep -qE 'changed=[1-9]' "$scratch/first.log"; then echo "The first run changed nothing." >&2; exit 1; fi
if grep -qE 'changed=[1-9]' "$scratch/second.log"; then echo "The second run changed something." >&2; exit 1; fi

printf '\nThe report of the first run: %s\n' "${records#"$PWD"/}/first-run.html"
