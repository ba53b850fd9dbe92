"""The table of steps, on the demo network."""

import pytest

from hoisdf_ros.bench.steps import main
from hoisdf_ros.errors import BackendError


def test_every_step_is_timed_and_compared_with_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--weights", "demo", "--pictures", "2", "--runs", "1"])
    machine, _, _, *rows = capsys.readouterr().out.strip().splitlines()
    assert machine.startswith("demo, ")
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == [
        "as it is written",
        "coarse-to-fine search",
        "norms folded, channels last",
        "feature maps read as rows",
        "bf16",
    ]
    assert cells[0][2:] == ["1.0", "0.00", "0.00", "0.00"]
    assert all(float(row[1]) > 0 for row in cells)
    assert float(cells[3][3]) < 0.5
    assert float(cells[4][3]) > 0


def test_what_is_not_built_is_not_timed(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(BackendError, match="hoisdf compile"):
        main(["--weights", "demo", "--pictures", "1", "--runs", "1", "--compiled"])
