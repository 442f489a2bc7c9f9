"""Directive progress: from three sources to how far each unit is on each clause, every day."""
