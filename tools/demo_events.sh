#!/usr/bin/env bash
# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The third part of tools/demo.sh, which starts the simulator and sets the environment: a rulebook deploys when it receives
# the hook of a successful build. `tools/demo_events.sh FOLDER_OF_A_VIRTUAL_ENVIRONMENT FOLDER`
set -eu -o pipefail

bin=$1/bin
folder=$2
rulebook=docs/examples/rulebooks/deploy_when_green.yml
if ! command -v java > /dev/null && [ -z "${JAVA_HOME:-}" ]; then
  printf '\nSkipping the rulebook that receives hooks: Java is not installed.\n'
  exit 0
fi
if ! HOME=$folder/home "$bin/ansible-rulebook" --version > /dev/null 2>&1; then
  printf '\nSkipping the rulebook that receives hooks: ansible-rulebook with Java 17 is not installed.\n'
  exit 0
fi

# Wait until a command succeeds, or fail and show the end of the log: `wait_for SECONDS COMMAND ...`.
wait_for() {
  local seconds=$1
  shift
  for _ in $(seq $((seconds * 10))); do
    ! "$@" || return 0
    kill -0 "$rules" 2>/dev/null || break
    sleep 0.1
  done
  echo "The rulebook failed or timed out:" >&2
  tail -n 40 "$folder/rulebook.log" >&2
  return 1
}
is_listening() { grep -q "waiting for GitLab's hooks on" "$folder/rulebook.log"; }
has_record() { compgen -G "$folder/pipeline-*.json" > /dev/null; }
has_ended() { grep -q 'ok=[0-9]' "$folder/rulebook.log"; }

printf '\nEvents: a rulebook waits for GitLab hooks, and v1.4.0 is pushed.\n'
mkdir -p "$folder/home" "$folder/tmp"
printf 'gitlab_hook_port: 0\nrelease_folder: %s\n' "$folder" > "$folder/vars.yml"
cat > "$folder/inventory.yml" << 'END'
all: {hosts: {localhost: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}}}
END
GITLAB_SIGNING_TOKEN=whsec_$("$bin/python" -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')
export GITLAB_SIGNING_TOKEN
# Java, ansible-rulebook and ansible-runner write to the home folder and the folder for temporary files.
env HOME="$folder/home" TMPDIR="$folder/tmp" JAVA_TOOL_OPTIONS=-XX:-UsePerfData PYTHONUNBUFFERED=1 PATH="$bin:$PATH" \
  "$bin/ansible-rulebook" -r "$rulebook" -i "$folder/inventory.yml" -e "$folder/vars.yml" -E GITLAB_SIGNING_TOKEN -v \
  > "$folder/rulebook.log" 2>&1 &
rules=$!
# also remove what ansible-runner keeps of a playbook, such as its environment
trap 'kill "$rules" 2>/dev/null || true; wait "$rules" 2>/dev/null || true; rm -rf "$folder/home" "$folder/tmp"' EXIT
wait_for 120 is_listening

# Send GitLab's hooks to the rulebook, and start a pipeline.
hook=$(sed -n "s/.*waiting for GitLab's hooks on \(http[^ ]*\).*/\1/p" "$folder/rulebook.log")
"$bin/python" - "$GITLAB_API_URL" "$hook" << 'END'
import json, os, sys, urllib.request

address, hook = sys.argv[1:]
for path, body in (
    ("hooks", {"url": hook, "signing_token": os.environ["GITLAB_SIGNING_TOKEN"], "project": "group/app"}),
    ("pipelines", {"project": "group/app", "ref": "v1.4.0", "user": "releaser", "source": "push"}),
):
    urllib.request.urlopen(urllib.request.Request(f"{address}/_simulator/{path}", json.dumps(body).encode()), timeout=30)
END
wait_for 120 has_record
wait_for 60 has_ended
if grep -q 'a delivery from .*: accepted' "$folder/rulebook.log"; then echo 'The rulebook received the signed hook of the successful build.'; fi
grep -E '^[^ ]*(project [0-9]|localhost.*ok=)|^[^ ]* +"[^"]*: (verify|play) ' "$folder/rulebook.log" \
  | sed 's/^\([^ ]*\) *"\(.*\)",\{0,1\}/\1  \2/; s/ *unreachable=.*failed=/ failed=/; s/ *skipped=.*//'
if ! grep -qE 'changed=1 .*failed=0' "$folder/rulebook.log"; then echo "The rulebook deployed nothing." >&2; exit 1; fi
