import pytest

from mqlml.engines.memory import Budget, bytes_of
from mqlml.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MB", 512_000_000),
        ("2GB", 2_000_000_000),
        (" 1.5 gb ", 1_500_000_000),
        ("1GiB", 1_073_741_824),
        ("7", 7),
    ],
)
def test_an_amount_of_memory_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "2 TBs", "-1GB", "GB"])
def test_other_texts_are_no_amount_of_memory(text: str) -> None:
    with pytest.raises(ConfigError, match="not an amount of memory"):
        bytes_of(text)


# Libraries 330 MB, a point 80 bytes, a worker 40 MB: a million points begin with 450 MB.
MILLION = 1_000_000


def test_work_begins_where_libraries_points_and_one_worker_have_room() -> None:
    Budget(450_000_000, MILLION).refuse_too_little()
    with pytest.raises(ConfigError, match="too little memory to begin"):
        Budget(449_999_999, MILLION).refuse_too_little()


@pytest.mark.parametrize(("limit", "workers"), [(450, 1), (629, 1), (630, 2), (2_000, 4)])
def test_as_many_buckets_are_in_memory_as_have_room(limit: int, workers: int) -> None:
    # Libraries and points take 410 MB, each worker 40 MB and a bucket of 70: two need 630.
    assert Budget(limit * MILLION, MILLION).workers(70 * MILLION, threads=4) == workers


def test_a_bucket_lies_in_files_where_what_is_left_is_less_than_it_takes() -> None:
    budget = Budget(500_000_000, MILLION)
    assert not budget.is_on_disk(50_000_000)
    assert budget.is_on_disk(50_000_001)
