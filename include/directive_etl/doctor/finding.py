"""What an examination finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing examined.

    Attributes:
        subject: what was looked at.
        said: what was seen, without secrets.
        cure: what to do about it; empty when all is well.
    """

    subject: str
    said: str
    cure: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done."""
        return not self.cure
