# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the colored output of a command as an HTML page like a terminal: `terminal_page.py COMMAND < LOG > PAGE`."""

from __future__ import annotations

import html
import re
import sys

# The colors that Ansible uses, as a dark terminal shows them.
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#56d4dd"}
STYLE = """
body { margin: 0; background: #0d1117; }
pre { margin: 0; padding: 20px 24px; color: #e6edf3; font: 14px/1.45 "DejaVu Sans Mono", monospace; }
pre { white-space: pre-wrap; }
.prompt { color: #8b949e; }
"""
_CODE = re.compile(r"\x1b\[([0-9;]*)m")


def colored(text: str) -> str:
    """Return text as HTML, with its color codes as styles."""
    parts: list[str] = []
    is_open = False
    for index, part in enumerate(_CODE.split(text)):
        if index % 2 == 0:
            parts.append(html.escape(part))
            continue
        if is_open:
            parts.append("</span>")
        color = next((COLORS[code] for code in part.split(";") if code in COLORS), "")
        is_open = bool(color)
        if color:
            parts.append(f'<span style="color: {color}">')
    return "".join(parts) + ("</span>" if is_open else "")


def main() -> None:
    """Read the log from standard input and print the page."""
    lines = [line for line in sys.stdin.read().splitlines() if line.strip()]
    # blank lines between tasks are easier to read than rows of stars
    text = "\n".join(("\n" if "TASK [" in line or "PLAY RECAP" in line else "") + line for line in lines)
    text = re.sub(r"\*{4,}", "***", text)
    prompt = f'<span class="prompt">$ {html.escape(sys.argv[1])}</span>'
    print(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><pre>{prompt}\n{colored(text)}</pre>")


if __name__ == "__main__":
    main()
