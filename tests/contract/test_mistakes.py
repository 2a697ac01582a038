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
    "TestSwallows": "test_an_exception_of_the_chunks_passes_and_the_part_can_be_put_again",
    "TestIgnoresAbort": "test_an_upload_that_was_aborted_cannot_be_committed",
    "TestLooksAtBeginAlone": "test_an_object_that_appeared_since_begin_is_kept_too",
    "TestShowsHalf": "test_readers_see_the_old_object_or_the_new_one",
    "TestSortsTexts": "test_parts_are_put_together_in_the_order_of_their_numbers",
    "TestEndsAtAnEmptyChunk": "test_chunks_may_be_any_buffer",
    "TestWritesSmall": "test_keys_are_kept_as_they_are",
    "TestHasOneLocation": "test_uploads_do_not_disturb_each_other",
    "TestLeavesFilesOpen": "test_nothing_stays_open",
    "TestListsNeighbours": "test_objects_are_listed_and_deleted",
    "TestReadsBackAll": "test_an_upload_is_read_back_in_the_order_of_its_bytes",
    "TestSaysAnyChecksum": "test_stat_reports_size_and_absence",
    "TestEmptiesAtTheEnd": "test_closing_keeps_stored_objects",
    "TestSaysTheWholeLength": "test_a_range_is_read_or_the_whole_file_said_to_come",
    "TestRefusesLongRanges": "test_a_range_is_read_or_the_whole_file_said_to_come",
    "TestHasOneBuffer": "test_streams_that_are_read_in_turns_keep_apart",
    "TestTakesItsReadersErrors": "test_an_exception_of_its_reader_passes_unchanged",
    "TestLeavesStreamsOpen": "test_nothing_stays_open",
    "TestKeepsItsValidator": "test_another_version_has_another_validator",
    "TestSaysAnyDigest": "test_a_whole_file_is_read",
    "TestIgnoresRanges": "test_a_range_is_read_or_the_whole_file_said_to_come",
    "TestTakesEverything": "test_it_refuses_sources_of_other_resolvers",
    "TestRaisesItsLibrarysErrors": "test_what_is_no_such_file_is_a_load_error",
    "TestTurnsAround": "test_it_keeps_some_in_their_order",
    "TestDescribesBadly": "test_results_are_described_as_the_model_says",
    "TestSaysNothing": "test_it_says_why_in_a_few_words",
    "TestSumsUpCarelessly": "test_what_is_no_such_file_is_a_load_error",
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
