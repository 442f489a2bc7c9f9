"""The steps of each source in order: the table of contents of the system.

The DAGs and the command line call these functions, and nothing else, so a run by hand is the same as a scheduled one.
Every function can be repeated freely: the same input again changes nothing. Figures are judged against the day they
are about and the time their channel gives, never against this process's clock.
"""

from directive_etl.pipeline.held_batches import decide_batch, describe_held_batch
from directive_etl.pipeline.progress import affected_days, close, recompute_day
from directive_etl.pipeline.service_portal import pull_portal_system, system_connection
from directive_etl.pipeline.sms_log import count_sms_operator, publish_sms_reach, require_whole_files
from directive_etl.pipeline.unit_report import answer_inbox, deliver_answers, reopen_report, take_mail
from directive_etl.pipeline.warehouse import care_for_storage, migrate_warehouse
from directive_etl.pipeline.whole_source import SOURCES, load_released, run_source

__all__ = [
    "SOURCES",
    "affected_days",
    "answer_inbox",
    "care_for_storage",
    "close",
    "count_sms_operator",
    "decide_batch",
    "deliver_answers",
    "describe_held_batch",
    "load_released",
    "migrate_warehouse",
    "publish_sms_reach",
    "pull_portal_system",
    "recompute_day",
    "reopen_report",
    "require_whole_files",
    "run_source",
    "system_connection",
    "take_mail",
]
