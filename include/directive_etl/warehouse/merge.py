"""Merge a frame into a fact table: only rows that differ are written, and rows that are gone are deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from directive_etl.warehouse.staging import STAGING, stage


@dataclass(frozen=True)
class Merged:
    """What a merge did. Unit: rows."""

    written: int
    deleted: int
    unchanged: int

    @property
    def changed(self) -> int:
        """Rows that are not as they were."""
        return self.written + self.deleted


def merge_rows(
    connection: sa.Connection,
    target: sa.Table,
    frame: pd.DataFrame,
    *,
    scope: Mapping[str, Any] | None = None,
    stamp: Mapping[str, Any] | None = None,
    newest_by: str | None = None,
    ignoring: Sequence[str] = (),
) -> Merged:
    """Make the target hold the frame's rows, in the caller's transaction.

    Args:
        connection: an open transaction.
        target: the table; its primary key says which rows are the same.
        frame: one row per key.
        scope: column values; rows of the target within it that the frame lacks are deleted. None deletes nothing.
        stamp: values written with each new or changed row but never compared, e.g. the batch.
        newest_by: a column; a row older by it than the one held is left out, so late reruns of old days do no harm.
        ignoring: further columns that are written but not compared.

    Returns:
        Rows written, deleted and left as they were.
    """
    stamp = dict(stamp or {})
    key = [column.name for column in target.primary_key]
    columns = [
        column.name for column in target.columns if column.name in frame.columns and column.name not in stamp
    ]
    compared = [name for name in columns if name not in key and name not in ignoring]
    stage(connection, frame, target, columns)

    same_key = " and ".join(f"t.{name} = s.{name}" for name in key)
    differs = " or ".join(f"t.{name} is distinct from s.{name}" for name in compared) or "false"
    not_older = f"and s.{newest_by} >= t.{newest_by}" if newest_by else ""
    sets = [f"{name} = s.{name}" for name in columns if name not in key] + [
        f"{name} = :{name}" for name in stamp
    ]
    update = f"when matched and ({differs}) {not_older} then update set {', '.join(sets)}" if sets else ""
    names = ", ".join([*columns, *stamp])
    values = ", ".join([*(f"s.{name}" for name in columns), *(f":{name}" for name in stamp)])
    merge = sa.text(
        f"merge into {target.fullname} t using pg_temp.{STAGING} s on {same_key} {update} "
        f"when not matched then insert ({names}) values ({values})"
    )
    written = connection.execute(merge, stamp).rowcount
    deleted = 0
    if scope is not None:
        inside = " and ".join(f"t.{name} = :scope_{name}" for name in scope) or "true"
        # Not "not exists": of a new table's rows the planner expects one, and would compare each with each.
        keys = ", ".join(key)
        gone = sa.text(
            f"delete from {target.fullname} t where {inside} "
            f"and ({', '.join(f't.{name}' for name in key)}) not in (select {keys} from pg_temp.{STAGING})"
        )
        deleted = connection.execute(gone, {f"scope_{name}": value for name, value in scope.items()}).rowcount
    return Merged(written=written, deleted=deleted, unchanged=len(frame) - written)
