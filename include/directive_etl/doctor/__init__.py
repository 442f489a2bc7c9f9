"""`python -m directive_etl doctor`: what keeps the system from working, and how to cure it."""

from directive_etl.doctor.examine import AirflowConnections, Finding, examine

__all__ = ["AirflowConnections", "Finding", "examine"]
