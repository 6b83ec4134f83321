#!/usr/bin/env bash
# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Take the pictures of the README from a run of the demo: `tools/pictures.sh FOLDER_OF_A_VIRTUAL_ENVIRONMENT`.
set -eu -o pipefail

cd "$(dirname "$0")/.."
command -v chromium > /dev/null || { echo "Install chromium and a font such as DejaVu." >&2; exit 1; }
pages=$PWD/.cache/demo
DEMO_FOLDER=$pages DEMO_COLOR=1 tools/demo.sh "$1" -e release_gate_user=releaser > /dev/null
picture() { # PAGE WIDTHxHEIGHT NAME
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars "--window-size=${2/x/,}" \
    "--screenshot=$PWD/docs/images/$3" "file://$1" 2> /dev/null
}
mkdir -p docs/images
# leave out the tasks that only check variables
sed -e '/Validating arguments/,+1d' -e '/Check the names/,+2d' "$pages/first.log" \
  | "$1/bin/python" tools/terminal_page.py 'ansible-playbook release-gate.yml' > "$pages/terminal.html"
picture "$pages/terminal.html" 980x740 terminal.png
picture "$pages/first/release-v1.2.0.html" 1180x1500 report.png
ls -l docs/images
