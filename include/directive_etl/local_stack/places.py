"""Where the local stack keeps its things: everything below `<clone>/.local`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The folders and files of one clone's stack.

    Attributes:
        root: the clone; `dags/`, `plugins/` and `include/` are below it.
        local: the stack's own folder, removed by `make clean`.
    """

    root: Path
    local: Path

    @classmethod
    def of_clone(cls, root: Path | None = None) -> "Places":
        """Return the places of a clone; without `root`, of the clone this file belongs to."""
        root = (root or Path(__file__).parents[3]).resolve()
        return cls(root=root, local=root / ".local")

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's data folder, or a link to it (see `postgres_user.py`)."""
        return self.local / "pgdata"

    @property
    def airflow_home(self) -> Path:
        return self.local / "airflow"

    @property
    def web_passwords(self) -> Path:
        """The password file of Airflow's simple auth manager."""
        return self.airflow_home / "simple_auth_passwords.json"

    @property
    def landing(self) -> Path:
        return self.local / "landing"

    @property
    def drop(self) -> Path:
        return self.local / "drop"

    @property
    def inbox(self) -> Path:
        return self.local / "inbox"

    @property
    def outbox(self) -> Path:
        return self.local / "outbox"

    @property
    def reports(self) -> Path:
        return self.local / "reports"

    @property
    def logs(self) -> Path:
        return self.local / "logs"

    @property
    def run(self) -> Path:
        """One file per started process."""
        return self.local / "run"

    @property
    def keys_file(self) -> Path:
        """Generated passwords and keys."""
        return self.local / "keys.json"

    @property
    def ports_file(self) -> Path:
        return self.local / "ports.json"

    @property
    def services_file(self) -> Path:
        """Further processes that `up` starts."""
        return self.local / "services.json"

    @property
    def env_file(self) -> Path:
        """Every setting of the running stack as KEY=value lines."""
        return self.local / "env"

    @property
    def extra_settings_file(self) -> Path:
        """Settings somebody added; they win over the stack's own."""
        return self.local / "settings.extra.json"

    def create(self) -> None:
        """Make the folders.

        `.local` itself can be entered by others but not listed: as root, PostgreSQL runs as another user
        and has to reach `pgdata`. Each folder below is closed, for `landing/` and `drop/` hold phone numbers.
        """
        self.local.mkdir(parents=True, exist_ok=True)
        self.local.chmod(0o711)
        for folder in (
            self.airflow_home,
            self.landing,
            self.drop,
            self.inbox,
            self.outbox,
            self.reports,
            self.logs,
            self.run,
        ):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
