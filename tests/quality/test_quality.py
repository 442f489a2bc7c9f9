"""Row accounts, masking, and what a declared suite says of a frame."""

import pandas as pd
import pytest
from great_expectations import expectations as gxe
from hypothesis import given
from hypothesis import strategies as st

from directive_etl.masking import mask_digits
from directive_etl.quality import RowAccount
from directive_etl.quality.results import describe, failed_critical, failed_warnings
from directive_etl.quality.suites import CRITICAL, WARNING, check_frame, check_parts

COUNTS = st.integers(0, 10**6)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_an_account_that_adds_up_is_taken(loaded: int, refused: int, duplicate: int, unchanged: int):
    RowAccount(loaded + refused + duplicate + unchanged, loaded, refused, duplicate, unchanged)


@given(COUNTS, COUNTS, st.integers(1, 5))
def test_an_account_that_loses_a_row_is_refused(loaded: int, refused: int, lost: int):
    with pytest.raises(ValueError, match="rows are lost"):
        RowAccount(loaded + refused + lost, loaded, refused)


@pytest.mark.parametrize("prefix", ["", "0", "84", "+84", "0084"])
@pytest.mark.parametrize("form", ["{}{}{}", "{} {} {}", "{}.{}.{}", "{}-{}-{}", "({}) {} {}"])
def test_a_phone_number_is_masked_in_every_form(prefix: str, form: str):
    text = f"gửi {prefix}{form.format('909', '123', '456')} xong"

    assert "123" not in mask_digits(text)
    assert mask_digits(text).endswith(" xong")


@pytest.mark.parametrize("text", ["line 12", "cell D7", "18/8: 12345", "1.005"])
def test_short_numbers_stay_readable(text: str):
    assert mask_digits(text) == text


def test_a_suite_tells_each_check_in_its_order_with_its_severity():
    frame = pd.DataFrame({"count": [1, -2, 3], "code": ["a", "b", None]})
    results = check_frame(
        frame,
        "test",
        [
            gxe.ExpectColumnValuesToBeBetween(
                column="count", min_value=0, severity=CRITICAL, notes="no negatives"
            ),
            gxe.ExpectColumnValuesToNotBeNull(column="code", severity=WARNING, notes="codes are known"),
            gxe.ExpectColumnValuesToBeUnique(column="code", severity=CRITICAL),
        ],
    )

    assert [(check.column, check.is_success, check.failed_count) for check in results] == [
        ("count", False, 1),
        ("code", False, 1),
        ("code", True, 0),
    ]
    assert [check.notes for check in failed_critical(results)] == ["no negatives"]
    assert [check.notes for check in failed_warnings(results)] == ["codes are known"]
    assert "no negatives" in describe(failed_critical(results))


def test_a_check_that_cannot_be_made_is_an_error_and_no_success():
    with pytest.raises(RuntimeError, match="could not be evaluated"):
        check_frame(pd.DataFrame({"a": [1]}), "test", [gxe.ExpectColumnValuesToNotBeNull(column="b")])


def test_no_offending_value_is_part_of_a_result():
    frame = pd.DataFrame({"number": ["0909123456", "x"]})
    expectation = gxe.ExpectColumnValuesToBeInSet(
        column="number", value_set=["x"], severity=CRITICAL, notes="n"
    )

    assert "0909123456" not in repr(check_frame(frame, "test", [expectation]))


def test_many_parts_are_checked_in_one_pass_and_each_answers_for_its_own_rows():
    frame = pd.DataFrame({"part": ["a"] * 10 + ["b"] * 2 + ["c"], "count": [None, *range(9), 1, None, -1]})
    rules = [
        gxe.ExpectColumnValuesToBeBetween(
            column="count", min_value=0, severity=CRITICAL, notes="no negatives"
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="count", mostly=0.9, severity=WARNING, notes="few blanks"),
    ]
    found = check_parts(frame, "part", "test", rules)

    assert {
        part: [(one.is_success, one.failed_count) for one in results] for part, results in found.items()
    } == {
        "a": [(True, 0), (True, 1)],
        "b": [(True, 0), (False, 1)],
        "c": [(False, 1), (True, 0)],
    }


def test_no_part_is_told_what_stands_in_another():
    frame = pd.DataFrame({"part": ["a", "b"], "code": ["of-a", "of-b"]})
    rule = gxe.ExpectColumnValuesToBeInSet(column="code", value_set=[], severity=CRITICAL, notes="n")
    found = check_parts(frame, "part", "test", [rule])

    assert "of-" not in repr(found["a"])
    assert found["a"][0].details["result"] == {"element_count": 1, "unexpected_count": 1}


def test_a_check_of_a_whole_set_is_not_split_by_part():
    rule = gxe.ExpectTableRowCountToBeBetween(min_value=1)
    with pytest.raises(RuntimeError, match="no expectation of single rows"):
        check_parts(pd.DataFrame({"part": ["a"]}), "part", "test", [rule])
