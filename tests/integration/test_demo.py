# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run `make demo` twice at the same time in one clone."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

from .harness import ROOT


def test_concurrent_demos_use_separate_folders_and_list_their_files() -> None:
    clean = {name: value for name, value in os.environ.items() if name != "DEMO_FOLDER"}
    # the settings of the user must not affect the demo
    clean |= {"GITLAB_API_URL": "http://127.0.0.1:9", "GITLAB_TOKEN": "token-of-a-real-gitlab"}
    # skip the part with the rulebook, which `make eda` tests
    clean |= {"DEMO_EVENTS": "/nowhere"}
    command = ["tools/demo.sh", sys.prefix]
    demos = [
        subprocess.Popen(command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _number in (1, 2)
    ]
    folders: set[pathlib.Path] = set()
    try:
        for demo in demos:
            output, _nothing = demo.communicate(timeout=1800)
            files = [ROOT / name for name in re.findall(r"^  (\S+/\S+\.\w+) ", output, re.MULTILINE)]
            folders.update(ROOT / name for name in re.findall(r"^  (build/demo\.\w+)/", output, re.MULTILINE))
            assert demo.returncode == 0, output
            assert output.count("\n") < 60, output
            for words in ("runs 60 times as fast", "infra: play apply: played", "app: play deploy:prod: failed ("):
                assert words in output, output
            assert output.count("Skipping the rulebook that receives hooks: ") == 1, output
            # the files that both releases have written, the log, the playbook and the scenario
            assert len(files) == 6 and all(file.is_file() for file in files), output
            report = next(file for file in files if file.name == "release-v1.3.0.html").read_text(encoding="utf-8")
            assert "no space left on device" in report and "token-of-a-real-gitlab" not in output
        assert len(folders) == 2
    finally:
        for demo in demos:
            demo.kill()
        for folder in folders:
            shutil.rmtree(folder)


def test_rulebook_demo_is_skipped_without_java(tmp_path: pathlib.Path) -> None:
    """The PATH contains only the shell."""
    (tmp_path / "bash").symlink_to(shutil.which("bash") or "/bin/bash")
    command = [ROOT / "tools" / "demo_events.sh", tmp_path / "nothing", tmp_path / "events"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False)
    sentence = "Skipping the rulebook that receives hooks: Java is not installed."
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, sentence, "")
    assert not (tmp_path / "events").exists()
