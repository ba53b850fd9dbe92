"""Addresses of chance: the same gives the same, any other gives another."""

from itertools import product

import pytest

from hoisdf_ros.data.synthetic_streams import SPLITS, Purpose, Split, stream
from hoisdf_ros.errors import DataError


def test_no_two_addresses_give_the_same_numbers() -> None:
    addresses = list(product(SPLITS, (0, 1), Purpose, (0, 1), (0, 1)))
    firsts = {stream(*address).integers(2**62) for address in addresses}
    assert len(firsts) == len(addresses)


def test_no_seed_of_the_test_split_gives_what_training_sees() -> None:
    seeds = (*range(30), 2**31, 2**32 - 2, 2**32 - 1)
    drawn = {
        split: {tuple(stream(split, seed, Purpose.SCENE).integers(2**62, size=2)) for seed in seeds}
        for split in SPLITS
    }
    assert all(len(numbers) == len(seeds) for numbers in drawn.values())
    assert not drawn["test"] & (drawn["train"] | drawn["val"])


def test_the_same_address_gives_the_same_numbers() -> None:
    one, two = (stream("val", 3, Purpose.SCENE, 9, 1).uniform(size=4) for _ in range(2))
    assert one.tolist() == two.tolist()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (("all", 0, Purpose.SCENE), "split 'all'.*expected one of train, val, test"),
        (("train", -1, Purpose.SCENE), "seed -1.*expected 0 to 4294967295"),
        (("train", 2**32, Purpose.SCENE), "seed 4294967296"),
        (("train", 0, Purpose.SCENE, -5), "number -5"),
    ],
)
def test_what_has_no_address_is_refused(
    address: tuple[Split, int, Purpose, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        stream(*address)
