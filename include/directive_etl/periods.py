"""The reporting day: a calendar day in Asia/Ho_Chi_Minh that closes at 08:00 of the next day."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CLOSE_TIME = time(8, 0)


def day_start(day: date) -> datetime:
    """Return 00:00 local time of the day, aware."""
    return datetime.combine(day, time.min, LOCAL_ZONE)


def day_end(day: date) -> datetime:
    """Return the first moment after the day: 00:00 local time of the next day, aware."""
    return day_start(day + timedelta(days=1))


def close_of(day: date) -> datetime:
    """Return the moment the day is judged: 08:00 local time of the next day, aware."""
    return datetime.combine(day + timedelta(days=1), CLOSE_TIME, LOCAL_ZONE)


def days_between(first: date, last: date) -> list[date]:
    """Return each day from first to last, both included; empty when last is before first."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def to_local_date(moment: datetime) -> date:
    """Return the reporting day that an aware moment falls on."""
    return moment.astimezone(LOCAL_ZONE).date()
