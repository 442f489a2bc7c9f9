-- One row per source and day: what became of every row read. Read by: the engineers' quality page.
-- read = loaded + refused + duplicate + unchanged. A repeated run writes no batch, so it does not count twice.
select source_code, report_date,
       sum(read_count)::bigint as read_count, sum(loaded_count)::bigint as loaded_count,
       sum(refused_count)::bigint as refused_count, sum(duplicate_count)::bigint as duplicate_count,
       sum(unchanged_count)::bigint as unchanged_count,
       sum(critical_failed_count)::bigint as critical_failed_count,
       sum(warning_failed_count)::bigint as warning_failed_count
from ops.load_batch
group by source_code, report_date
