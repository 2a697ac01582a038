"""The contracts find what plugins do wrong: each mistaken plugin fails the tests that are about its mistake."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

MISTAKEN = Path(__file__).parents[1] / "support" / "mistaken_plugins.py"

FOUND_BY = {
    "TestKeepsChunks": "test_an_object_has_the_bytes_that_were_put",
    "TestShowsEarly": "test_nothing_is_visible_before_commit",
    "TestReplaces": "test_an_object_that_may_not_be_replaced_is_kept",
    "TestAbortsOnce": "test_abort_leaves_nothing_and_can_be_repeated",
    "TestSwallows": "test_what_the_chunks_raise_comes_out_and_the_part_can_be_put_again",
    "TestIgnoresRanges": "test_a_range_is_read_or_the_whole_file_said_to_come",
    "TestTakesEverything": "test_it_refuses_what_is_not_its_own",
    "TestRaisesItsLibrarysErrors": "test_what_is_no_such_file_is_a_load_error",
    "TestTurnsAround": "test_it_keeps_some_in_their_order",
}


@pytest.fixture(scope="module")
def failures():
    """The tests of the mistaken plugins that failed: ``Class::test``."""
    # Plain assertions: where CI is set, differences between megabytes would be worked out in full.
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "--assert=plain", "-p", "no:cacheprovider"]
    command.append(str(MISTAKEN))
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    return set(re.findall(r"^FAILED \S+?::(\w+::\w+)", done.stdout, re.MULTILINE)), done.stdout


@pytest.mark.parametrize(("plugin", "test"), FOUND_BY.items())
def test_the_mistake_is_found_by_the_test_about_it(failures, plugin, test):
    found, output = failures
    assert f"{plugin}::{test}" in found, output[-3000:]
