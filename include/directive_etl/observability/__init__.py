"""What a run says about itself while it works: log lines, metrics, lineage. docs/observability.md names everything."""

from directive_etl.observability.watch import observed

__all__ = ["observed"]
