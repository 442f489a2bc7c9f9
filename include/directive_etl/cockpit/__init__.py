"""The pages behind Airflow's menu: what an engineer asks of a day, as JSON, and the pages that show it.

Nothing here knows Airflow: who may see what is handed to `cockpit_app` by plugins/directive_cockpit.py.
"""

from directive_etl.cockpit.app import cockpit_app

__all__ = ["cockpit_app"]
