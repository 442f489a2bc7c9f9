"""Each case changes one thing in a right directive, and exactly one mistake is told.

That lines and places are exact is what test_directive_mutations.py shows.
"""

import unicodedata

import pytest

TREE_PCT = "clauses[0].indicators[0]"
ALIVE_PCT = "clauses[0].indicators[1]"

CASES = {
    "a directive is in force from its issue on": (
        "active_from: 2020-09-03",
        "active_from: 2020-08-31",
        "active_from: found 2020-08-31, expected 2020-09-01 (issued_on) or later",
    ),
    "a directive ends after it begins": (
        "active_to: 2020-12-31",
        "active_to: 2020-09-02",
        "active_to: found 2020-09-02, expected 2020-09-03 (active_from) or later",
    ),
    "a measure has a code of its own": (
        "clauses:\n",
        "  - {code: hole_count, source: unit_report, kind: flow, name_vi: Hố, name_en: Holes}\nclauses:\n",
        "measures[5].code: found 'hole_count' a second time, expected a code that is not taken",
    ),
    "a category has a code of its own": (
        "{code: herb,",
        "{code: shade,",
        "categories.tree[2].code: found 'shade' a second time, expected a code that is not taken",
    ),
    "an indicator has a code of its own": (
        "code: alive_pct",
        "code: tree_pct",
        "clauses[0].indicators[1].code: found 'tree_pct' a second time, expected a code that is not taken",
    ),
    "the list of a measure exists": (
        "kind: flow, name_vi: Lượt tưới",
        "kind: flow, categories: bush, name_vi: Lượt tưới",
        "measures[3].categories: found 'bush', expected one of tree",
    ),
    "a source counts only its own measures": (
        "code: sms_wave_count, source: sms_log",
        "code: sms_wave_count, source: service_portal",
        "measures[4].code: found 'sms_wave_count', expected a measure that service_portal counts: ",
    ),
    "a source splits its measures its own way": (
        "categories: campaign",
        "categories: operator",
        "measures[4].categories: found 'operator', expected 'campaign', by which sms_log splits it",
    ),
    "a bound exists": (
        "at_most: tree_count",
        "at_most: bush_count",
        "measures[2].at_most: found 'bush_count', expected the code of a measure",
    ),
    "a measure and its bound are alike": (
        "source: unit_report, kind: flow, name_vi: Lượt tưới",
        "source: unit_report, kind: flow, at_most: tree_count, name_vi: Lượt tưới",
        "measures[3].at_most: found 'tree_count' with categories tree and kind stock, "
        "expected a measure with categories none and kind flow",
    ),
    "bounds go in no circle": (
        "kind: stock, categories: tree, name_vi: Hố",
        "kind: stock, categories: tree, at_most: tree_count, name_vi: Hố",
        "measures[0].at_most: found a circle: hole_count at most tree_count at most hole_count, expected",
    ),
    "a measure does not bound itself": (
        "kind: flow, name_vi: Lượt tưới",
        "kind: flow, at_most: watering_count, name_vi: Lượt tưới",
        "measures[3].at_most: found a circle: watering_count at most watering_count",
    ),
    "a measure is used by an indicator": (
        "numerator: {measure: watering_count}",
        "numerator: {measure: sms_wave_count}",
        "measures[3]: found 'watering_count', which no indicator uses, expected an indicator",
    ),
    "a rule of reporting says where it comes from": (
        "    source: the directive\n  - {unit_types: [dai_hoc]",
        "  - {unit_types: [dai_hoc]",
        "reporting[0]: found neither source nor assumed, expected the document in `source`, or",
    ),
    "a unit reports by one rule": (
        "units: [SGDDT], cadence",
        'units: [SGDDT, "31117"], cadence',
        "reporting[1]: found unit 31117, which reporting[0] has too, expected each unit in one rule",
    ),
    "a due time is local": (
        '"16:30"',
        '"16:30+07:00"',
        "reporting[0].due_time: found 16:30:00+07:00, expected a local time without offset",
    ),
    "the measure of a sum exists": (
        "denominator: {measure: hole_count, categories: [fruit, shade]}",
        "denominator: {measure: pit_count, categories: [fruit, shade]}",
        f"{TREE_PCT}.denominator.measure: found 'pit_count', expected the code of a measure",
    ),
    "the categories of a sum belong to its measure": (
        "categories: [fruit, shade]",
        "categories: [fruit, moss]",
        f"{TREE_PCT}.numerator.categories[1]: found 'moss', expected a category of 'tree': one of fruit,",
    ),
    "a sum lists a category once": (
        "categories: [fruit, shade]",
        "categories: [fruit, fruit]",
        f"{TREE_PCT}.numerator.categories[1]: found 'fruit' a second time, expected a code that is not taken",
    ),
    "a measure that is not split has no categories": (
        "numerator: {measure: watering_count}",
        "numerator: {measure: watering_count, categories: [herb]}",
        "clauses[0].indicators[2].numerator.categories[0]: found 'herb', expected no categories",
    ),
    "a ratio has a denominator": (
        "        denominator: {measure: tree_count}\n",
        "",
        f"{ALIVE_PCT}.denominator: found none, expected a denominator, since calculation is 'ratio_pct'",
    ),
    "only a ratio has a denominator": (
        "numerator: {measure: watering_count}",
        "numerator: {measure: watering_count}\n        denominator: {measure: watering_count}",
        "clauses[0].indicators[2].denominator: found a denominator, expected none",
    ),
    "a stock is made of stocks": (
        "denominator: {measure: tree_count}",
        "denominator: {measure: watering_count}",
        f"{ALIVE_PCT}.denominator.measure: found 'watering_count', a flow, expected a stock",
    ),
    "days since the last time are a level": (
        "calculation: days_since\n        kind: stock",
        "calculation: days_since\n        kind: flow",
        "clauses[0].indicators[3].kind: found 'flow', expected 'stock', since calculation is 'days_since'",
    ),
    "a type of unit exists": (
        "responsible: {unit_types: [xa_phuong, dai_hoc]}",
        "responsible: {unit_types: [xa_phuong, dai_hoc, ward]}",
        "clauses[0].indicators[1].responsible.unit_types[2]: found 'ward', expected one of",
    ),
    "a unit exists": (
        "responsible: {units: [STTTT]}",
        "responsible: {units: [STTTT, SXYZ]}",
        "clauses[0].indicators[3].responsible.units[1]: found 'SXYZ', expected the code of a unit of",
    ),
    "somebody is responsible": (
        "responsible: {units: [STTTT]}",
        "responsible: {units: [SNNMT]}",
        "clauses[0].indicators[3].responsible: found no unit, expected at least one unit in force on 2020",
    ),
    "units whose figures are asked for report": (
        "responsible: {unit_types: [xa_phuong, dai_hoc]}",
        "responsible: {unit_types: [xa_phuong, mttq]}",
        "clauses[0].indicators[1].responsible: found units that owe no report: UBMTTQ",
    ),
    "a target says where it comes from": (
        "valid_to: 2020-09-30, source: the directive}",
        "valid_to: 2020-09-30}",
        f"{TREE_PCT}.targets[0]: found neither source nor assumed, expected the document in `source`",
    ),
    "a target with a source is not assumed": (
        "valid_to: 2020-09-30, source: the directive}",
        "valid_to: 2020-09-30, source: the directive, assumed: true}",
        f"{TREE_PCT}.targets[0].assumed: found true beside a source, expected one of the two",
    ),
    "a target ends after it begins": (
        "valid_from: 2020-09-03, valid_to: 2020-09-30",
        "valid_from: 2020-09-03, valid_to: 2020-09-02",
        f"{TREE_PCT}.targets[0].valid_to: found 2020-09-02, expected 2020-09-03 (valid_from) or later",
    ),
    "a target is not due before it holds": (
        "due_date: 2020-11-30",
        "due_date: 2020-09-30",
        f"{TREE_PCT}.targets[1].due_date: found 2020-09-30, expected 2020-10-01 (valid_from) or later",
    ),
    "a target is not due after it has ended": (
        "valid_to: 2020-09-30, source",
        "valid_to: 2020-09-30, due_date: 2020-10-01, source",
        f"{TREE_PCT}.targets[0].due_date: found 2020-10-01, expected 2020-09-30 (valid_to) or earlier",
    ),
    "one target holds for a unit on a day": (
        "valid_to: 2020-09-30, source",
        "valid_to: 2020-10-01, source",
        f"{TREE_PCT}.targets[1]: found days and units that targets[0] has too, expected one target",
    ),
}


@pytest.mark.parametrize(("old", "new", "sentence"), CASES.values(), ids=CASES.keys())
def test_what_must_hold_in_a_directive(second, old: str, new: str, sentence: str) -> None:
    [told] = second.with_changed(old, new).told()
    line, _, rest = told.partition(": ")
    assert line.isdigit() and rest.startswith(sentence)


def test_a_target_for_some_types_may_stand_beside_one_for_all(second) -> None:
    assert len(second.load().clauses[0].indicators[0].targets) == 3


def test_an_unquoted_due_time_is_refused_since_yaml_reads_it_as_a_number(second) -> None:
    [told] = second.with_changed('due_time: "16:30"', "due_time: 16:30").told()
    line = second.line_of('due_time: "16:30"')
    assert told == f'{line}: reporting[0].due_time: found 990, expected a time in quotes like "17:00"'


def test_a_text_that_is_not_in_nfc_is_refused(second) -> None:
    [told] = second.with_changed("Trồng cây.", unicodedata.normalize("NFD", "Trồng cây.")).told()
    assert "clauses[0].text_vi: found" in told and "expected a text in Unicode NFC" in told


def test_mistakes_of_form_and_of_reference_are_told_together(second) -> None:
    changed = second.with_changed("value: 50", "value: half").with_changed(
        "measure: alive_count", "measure: dead_count"
    )
    assert [line.split(": ")[1] for line in changed.told()] == [
        "clauses[0].indicators[0].targets[0].value",
        "clauses[0].indicators[1].numerator.measure",
    ]
