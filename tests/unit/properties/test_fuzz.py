# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fuzz target: it finds nothing in a few inputs, finds a planted error, and runs as documented."""

from __future__ import annotations

import pytest

from ...fuzz import fuzz_decoder


@pytest.mark.parametrize("seed", [1, 2])
def test_thousand_inputs_cause_no_crash(seed):
    assert fuzz_decoder.fuzz(seed=seed, limit=1000) == 1000


def test_crash_is_reported_with_a_replayable_input(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(fuzz_decoder.tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as planted:
        planted.setattr(fuzz_decoder, "tail_of", lambda text, lines, masker: ["\x1b"] * lines)
        assert fuzz_decoder.main(["--seconds", "5", "--seed", "3"]) == 1
        [file] = tmp_path.iterdir()
        assert str(file) in capsys.readouterr().err
        with pytest.raises(AssertionError, match="control code"):
            fuzz_decoder.main(["--replay", str(file)])
    assert fuzz_decoder.main(["--replay", str(file)]) == 0


def test_same_seed_makes_the_same_inputs(monkeypatch):
    seen = []
    monkeypatch.setattr(fuzz_decoder, "target", seen.append)
    fuzz_decoder.fuzz(seed=7, limit=300)
    fuzz_decoder.fuzz(seed=7, limit=300)
    assert seen[:300] == seen[300:]
