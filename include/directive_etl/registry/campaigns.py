"""SMS campaigns as data: which messages belong to one, and how many subscribers it is to reach."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from directive_etl.registry.declared_file import Declared, load_declared_folder

CAMPAIGNS_FOLDER = Path(__file__).parent / "campaigns"


class Match(Declared):
    """Messages whose sender, or gateway service, is exactly this."""

    field: Literal["sender", "service"]
    value: Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")]


class Campaign(Declared):
    """One campaign.

    Attributes:
        matches: a message belongs to the first campaign, by code, of which any match holds.
        subscriber_count: subscribers to reach. Unit: subscribers.
        is_assumed: no document gives that number.
        wave_min_messages: a day with at least this many messages, over all operators, is a wave. Unit: messages.
    """

    campaign_code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    name_vi: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    subscriber_count: Annotated[int, Field(gt=0)]
    is_assumed: bool
    note: str = ""
    matches: Annotated[tuple[Match, ...], Field(min_length=1)]
    wave_min_messages: Annotated[int, Field(gt=0)]


@cache
def campaigns() -> list[Campaign]:
    """Return all declared campaigns, sorted by code.

    Raises:
        RegistryError: the mistakes of all files.
    """
    return load_declared_folder(CAMPAIGNS_FOLDER, Campaign, "campaign_code")
