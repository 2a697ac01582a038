"""What one more transfer of a very long plan takes in memory, by Python's own count of bytes."""

import tracemalloc

from splashdown._engine.retry import hosts_of
from splashdown._engine.same_url import groups
from splashdown._engine.schedule import Schedule
from splashdown._naming.names import assign_names
from splashdown._receipts.in_order import in_order
from splashdown._series.assets import pack, transfers_of
from splashdown.columns import columns
from splashdown.model import Asset

FEW, MANY = 4_000, 8_000
#: Bytes for one more transfer at the peak: a hash and a place in a part of a set, a host, a number that waits.
MOST_TO_SCHEDULE = 45
#: Bytes for one more that stay while the run lasts: its number, as long as it waits.
MOST_SCHEDULED = 12
#: Bytes for one more name: those that stay, and those at the peak.
MOST_OF_A_NAME, MOST_TO_NAME = 10, 30
#: Bytes for one more feature at the peak, while its assets are found: a hash, and where they begin and end.
MOST_TO_GROUP = 65


def assets_of(count):
    return pack(Asset(key=f"{n:06}", href=f"https://h.example/{n % 7}/{n:06}.tif") for n in range(count))


def bytes_of_one_more(make, given):
    """Bytes that stay, and bytes at the peak, for one more of what ``make`` gets from ``given``."""

    def bytes_of(count):
        values = given(count)
        tracemalloc.start()
        try:
            made = make(values)
            left, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        del made
        return left, peak

    bytes_of(FEW)  # what is made once
    (few, few_at_peak), (many, many_at_peak) = bytes_of(FEW), bytes_of(MANY)
    return (many - few) / (MANY - FEW), (many_at_peak - few_at_peak) / (MANY - FEW)


def schedule_of(transfers):
    assert groups(transfers) == []
    return Schedule(hosts_of(columns(transfers, "asset.href")), {"h.example": 8})


def test_a_waiting_transfer_takes_a_number_and_no_strings():
    def transfers(count):
        assets = assets_of(count)
        return transfers_of(assets, assign_names(assets))

    left, peak = bytes_of_one_more(schedule_of, transfers)
    assert left < MOST_SCHEDULED
    assert peak < MOST_TO_SCHEDULE


def test_names_of_a_long_plan_stay_in_blocks():
    left, peak = bytes_of_one_more(assign_names, assets_of)
    assert left < MOST_OF_A_NAME
    assert peak < MOST_TO_NAME


def test_features_are_matched_with_their_assets_by_numbers():
    def items(count):
        assets = pack(Asset(item=f"{n:06}", key="data", href="https://h.example/a") for n in range(count))
        return [{"id": f"{n:06}"} for n in range(count)], assets

    _, peak = bytes_of_one_more(lambda given: in_order(*given), items)
    assert peak < MOST_TO_GROUP
