"""A small synthetic set with its grasps, made once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK
from hoisdf_ros.errors import HoisdfError


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which grasps are kept while the tests run."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder / "hoisdf_ros"


@pytest.fixture(scope="session")
def synthetic(cache: Path) -> Iterator[SyntheticData]:
    """Forty samples of the training split, from one chunk of grasps."""
    assert cache.parent.is_dir()
    data = SyntheticData("train", 40, seed=7, grasps=CHUNK)
    try:
        data[0]
    except HoisdfError as error:
        pytest.skip(f"nothing to draw with: {error}")
    yield data
    data.close()
