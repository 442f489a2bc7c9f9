"""The rows of the operators' log folders in the order they are written, with the faults planted in them."""

from dataclasses import dataclass

import numpy as np

from directive_etl.demo_city.sms_receipts import (
    INCOMING,
    NO_STATE,
    PLAIN,
    SUBMISSION,
    UNMATCHED_RECEIPT,
    WITHOUT_ID,
    Events,
)
from directive_etl.demo_city.sms_subscribers import (
    MOBIFONE,
    OPERATOR_CODES,
    VIETNAMOBILE,
    VIETTEL,
    VINAPHONE,
    BoolArray,
    IntArray,
)
from directive_etl.demo_city.sms_traffic import DAY, SECOND, Messages

# What can be wrong with a row. SOUND rows can be read.
DEFECTS = ("sound", "truncated", "bad_date", "bad_number", "bad_utf8", "wrong_columns")
SOUND = 0
_DEFECT_SHARE = 0.001
_KANNEL = (VIETTEL, MOBIFONE)

# Where a busy day's log is cut into files; a quiet day's has one cut (viettel, mobifone) or none.
_CUTS = {VIETTEL: (0.37, 0.71), VINAPHONE: (0.44, 0.82), MOBIFONE: (0.58,), VIETNAMOBILE: ()}
_BUSY_ROW_COUNT = 3000
# Rows at the end of a file that rotation repeats at the start of the next.
_OVERLAP_ROW_COUNT = 2


@dataclass(frozen=True)
class Rows:
    """One element per log row, by operator, folder and file, in the order of the file.

    Attributes:
        operator: position in OPERATOR_CODES.
        folder: day of the drop folder, counted from the first day.
        file: position of the file in its folder, oldest first.
        message: position in Messages; for lines that are no message of ours, the message they borrow from.
        kind: SUBMISSION, RECEIPT ...
        state: state the row tells.
        at: time of the row in milliseconds since 00:00 local of the first day.
        defect: position in DEFECTS.
        is_copy: the same row stands in the folder already.
    """

    operator: IntArray
    folder: IntArray
    file: IntArray
    message: IntArray
    kind: IntArray
    state: IntArray
    at: IntArray
    defect: IntArray
    is_copy: BoolArray

    def __len__(self) -> int:
        return len(self.operator)

    def take(self, chosen: IntArray | BoolArray) -> "Rows":
        """Return the chosen rows."""
        return Rows(*(getattr(self, name)[chosen] for name in Rows.__dataclass_fields__))


def lay_out_rows(
    rng: np.random.Generator, messages: Messages, events: Events, fate: IntArray, day_count: int
) -> Rows:
    """Put the events of the first `day_count` days into folders and files, and plant the faults.

    Args:
        rng: source of randomness.
        messages: what was sent.
        events: what the gateways did with it.
        fate: what befell each message, as a position in FATES.
        day_count: days that have a folder; later events are not logged.
    """
    rows = _folder_rows(messages, events, day_count)
    rows = _in_order(rng, _joined(rows, _chatter(rng, messages, rows, day_count)))
    rows = _cut_into_files(rows, day_count)
    # Only messages without another oddity are damaged or repeated: the right answer stays known.
    is_plain = (fate[rows.message] == PLAIN) & (rows.kind <= 1)
    rows = _damaged(rng, rows, is_plain)
    return _with_overlap(rows, is_plain)


def _folder_rows(messages: Messages, events: Events, day_count: int) -> Rows:
    logged = events.at // DAY < day_count
    message = events.message[logged]
    count = len(message)
    return Rows(
        operator=messages.operator[message],
        folder=events.at[logged] // DAY,
        file=np.zeros(count, dtype=np.int64),
        message=message,
        kind=events.kind[logged],
        state=events.state[logged],
        at=events.at[logged],
        defect=np.full(count, SOUND),
        is_copy=events.is_copy[logged],
    )


def _chatter(rng: np.random.Generator, messages: Messages, rows: Rows, day_count: int) -> Rows:
    """Draw Kannel's lines that are no message: receipts without match, incoming SMS, sent without an id."""
    parts = []
    for operator in _KANNEL:
        own = np.flatnonzero(messages.operator == operator)
        for folder in range(day_count):
            count = 6 + int(((rows.operator == operator) & (rows.folder == folder)).sum() * 0.0006)
            # Distinct seconds, so that no two of these lines are the same.
            second = rng.choice(DAY // SECOND, count, replace=False)
            parts.append(
                Rows(
                    operator=np.full(count, operator),
                    folder=np.full(count, folder),
                    file=np.zeros(count, dtype=np.int64),
                    message=rng.choice(own, count),
                    kind=rng.permutation(np.resize([UNMATCHED_RECEIPT, INCOMING, WITHOUT_ID], count)),
                    state=np.full(count, NO_STATE),
                    at=folder * DAY + second * SECOND,
                    defect=np.full(count, SOUND),
                    is_copy=np.zeros(count, dtype=bool),
                )
            )
    return _joined(*parts)


def _in_order(rng: np.random.Generator, rows: Rows) -> Rows:
    """Sort by operator, folder and time; a copy comes within the same second, after what it copies."""
    rest_of_second = SECOND - 1 - rows.at % SECOND
    written = rows.at + np.where(rows.is_copy, (rng.random(len(rows)) * rest_of_second).astype(np.int64), 0)
    return rows.take(np.lexsort((rows.is_copy, written, rows.folder, rows.operator)))


def _cut_into_files(rows: Rows, day_count: int) -> Rows:
    file = rows.file.copy()
    for operator in range(len(OPERATOR_CODES)):
        for folder in range(day_count):
            inside = np.flatnonzero((rows.operator == operator) & (rows.folder == folder))
            cuts = _CUTS[operator]
            if len(inside) < _BUSY_ROW_COUNT:
                cuts = cuts[:1] if operator in _KANNEL else ()
            for cut in cuts:
                file[inside[int(len(inside) * cut) :]] += 1
    return Rows(**{**vars(rows), "file": file})


def _damaged(rng: np.random.Generator, rows: Rows, is_plain: BoolArray) -> Rows:
    """Damage about 0.1 % of the rows, and at least one in each folder."""
    row_count = np.bincount(rows.message[is_plain])
    # VinaPhone's receipts repeat the submission: damage one only where nothing else tells of the message.
    is_told_again = (
        (rows.operator == VINAPHONE)
        & (rows.kind == SUBMISSION)
        & (row_count[rows.message.clip(max=len(row_count) - 1)] > 1)
    )
    can_break = is_plain & ~is_told_again & ~rows.is_copy
    is_broken = can_break & (rng.random(len(rows)) < _DEFECT_SHARE)
    folder_key = rows.operator * 1000 + rows.folder
    breakable = rng.permutation(np.flatnonzero(can_break & ~np.isin(folder_key, folder_key[is_broken])))
    _, first = np.unique(folder_key[breakable], return_index=True)
    is_broken[breakable[first]] = True
    # A Kannel line has no columns to miscount.
    kinds = np.where(np.isin(rows.operator, _KANNEL), len(DEFECTS) - 2, len(DEFECTS) - 1)
    defect = np.where(is_broken, 1 + rng.integers(0, kinds), SOUND)
    return Rows(**{**vars(rows), "defect": defect})


def _with_overlap(rows: Rows, is_plain: BoolArray) -> Rows:
    """Repeat the last rows of each of Viettel's files at the start of the next: a careless rotation."""
    starts = np.flatnonzero((np.diff(rows.file, prepend=0) > 0) & (rows.operator == VIETTEL))
    can_repeat = is_plain & (rows.defect == SOUND) & ~rows.is_copy
    sources: list[int] = []
    places: list[int] = []
    for start in starts.tolist():
        before = [row for row in range(max(0, start - 20), start) if can_repeat[row]]
        before = [row for row in before if rows.folder[row] == rows.folder[start]][-_OVERLAP_ROW_COUNT:]
        sources += before
        places += [start] * len(before)
    source, place = np.array(sources, dtype=np.int64), np.array(places, dtype=np.int64)
    copied = rows.take(source)
    copied = Rows(**{**vars(copied), "file": rows.file[place], "is_copy": np.ones(len(source), dtype=bool)})
    return Rows(
        *(np.insert(getattr(rows, name), place, getattr(copied, name)) for name in Rows.__dataclass_fields__)
    )


def _joined(*parts: Rows) -> Rows:
    return Rows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__dataclass_fields__)
    )
