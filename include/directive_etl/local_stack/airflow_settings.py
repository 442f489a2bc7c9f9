"""Airflow's settings on one machine: LocalExecutor, simple logins, loopback only, sized for 2 to 4 cores."""

import os
import sys
from pathlib import Path

from directive_etl.local_stack.keys import Keys
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.private_files import write_private_json

# A task waits for the database and the scheduler more than it computes: 4 per core keep the cores busy.
TASKS_PER_CORE = 4
MOST_TASKS = 16


def web_address(port: int) -> str:
    """Return the address of Airflow's pages and API."""
    return f"http://127.0.0.1:{port}"


def of(places: Places, keys: Keys, web_port: int, postgres_port: int) -> dict[str, str]:
    """Return every variable that Airflow's processes need."""
    database = f"airflow:{keys.airflow}@127.0.0.1:{postgres_port}/airflow"
    web = web_address(web_port)
    by_section = {
        "CORE": {
            "DAGS_FOLDER": str(places.root / "dags"),
            "PLUGINS_FOLDER": str(places.root / "plugins"),
            "LOAD_EXAMPLES": "False",
            "DAGS_ARE_PAUSED_AT_CREATION": "False",
            "DEFAULT_TIMEZONE": "Asia/Ho_Chi_Minh",
            "EXECUTOR": "LocalExecutor",
            "PARALLELISM": str(min(MOST_TASKS, TASKS_PER_CORE * (os.cpu_count() or 1))),
            "MAX_ACTIVE_TASKS_PER_DAG": str(MOST_TASKS),
            "FERNET_KEY": keys.airflow_fernet,
            "EXECUTION_API_SERVER_URL": f"{web}/execution/",
            "AUTH_MANAGER": (
                "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
            ),
            "SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
            "SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(places.web_passwords),
            # The default asks the resolver for every task: seconds on a machine without a name server.
            "HOSTNAME_CALLABLE": "socket.gethostname",
        },
        "DATABASE": {
            "SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
            "SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{database}",
            "SQL_ALCHEMY_POOL_SIZE": "5",
            "SQL_ALCHEMY_MAX_OVERFLOW": "5",
        },
        "API": {
            "HOST": "127.0.0.1",
            "PORT": str(web_port),
            "BASE_URL": web,
            "WORKERS": "1",
            "SECRET_KEY": keys.airflow_api,
        },
        "API_AUTH": {"JWT_SECRET": keys.airflow_jwt},
        # A changed file is read again at once; this is about new files and about unchanged ones.
        "DAG_PROCESSOR": {"REFRESH_INTERVAL": "10", "MIN_FILE_PROCESS_INTERVAL": "600"},
        # The default 5 holds the slot of a finished task for seconds (163 -> 343 tasks a minute).
        "WORKERS": {"MIN_HEARTBEAT_INTERVAL": "1"},
        # Tasks of a killed scheduler are tried again after a minute, not after five: their supervisors, processes
        # of their own, send a heartbeat each second however busy the task is.
        "SCHEDULER": {
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            # So are those it had queued and not started. Airflow looks for them when a scheduler starts, while the
            # killed one still counts as alive for half a minute, and then every five minutes.
            "ORPHANED_TASKS_CHECK_INTERVAL": "15",
        },
        "LOGGING": {
            "BASE_LOG_FOLDER": str(places.airflow_home / "logs"),
            "LOGGING_LEVEL": "INFO",
            "COLORED_CONSOLE_LOG": "False",
        },
        "USAGE_DATA_COLLECTION": {"ENABLED": "False"},
    }
    return {"AIRFLOW_HOME": str(places.airflow_home)} | {
        f"AIRFLOW__{section}__{name}": value
        for section, settings in by_section.items()
        for name, value in settings.items()
    }


def write_web_passwords(places: Places, keys: Keys) -> None:
    """Write the password file of the simple auth manager, mode 0600."""
    write_private_json(places.web_passwords, {"admin": keys.web_admin, "viewer": keys.web_viewer})


def command(*arguments: str) -> list[str]:
    """Return the command line of Airflow in the environment this interpreter belongs to."""
    # Not sys.executable's target: a virtual environment is known by the path it is called by.
    return [str(Path(sys.executable)), "-m", "airflow", *arguments]
