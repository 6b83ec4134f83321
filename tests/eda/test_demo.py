# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the third act of `make demo` with two simultaneous demos."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from .rulebook import PATIENCE_SECONDS
from .support import ROOT

pytestmark = pytest.mark.rulebook


@pytest.mark.skipif(not shutil.which("ansible-rulebook"), reason="ansible-rulebook is not installed: make eda")
def test_two_simultaneous_demos_each_deploy_after_a_hook(tmp_path: pathlib.Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    demos = [
        subprocess.Popen(
            ["tools/demo.sh", sys.prefix],
            cwd=ROOT,
            env={**os.environ, "DEMO_EVENTS": sys.prefix, "DEMO_FOLDER": str(folder), "HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for folder in folders
    ]
    try:
        for demo, folder in zip(demos, folders):
            output, _nothing = demo.communicate(timeout=2 * PATIENCE_SECONDS)
            assert demo.returncode == 0, output
            assert output.count("\n") < 60, output
            act = output.partition("Events: a rulebook")[2]
            received = "The rulebook received the signed hook of the successful build."
            for words in (received, "verify build: passed", "play deploy:prod: played"):
                assert act.count(words) == 1, output
            (report,) = (folder / "events").glob("pipeline-*.html")
            assert f"{report} " in act and "deploy:prod" in report.read_text(encoding="utf-8")
            # only the environment of the rulebook contains the secret of the hook
            files = [path for path in folder.rglob("*") if path.is_file()]
            assert not [path for path in files if re.search(rb"whsec_[A-Za-z0-9+/]", path.read_bytes())]
        # nothing is left in the user's home folder
        assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}
    finally:
        for demo in demos:
            demo.kill()
