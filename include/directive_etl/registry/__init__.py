"""Declared data: the directive, units, calendar, operators, systems and procedures, checked when read."""
