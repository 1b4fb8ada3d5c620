"""Cohorts: studies and databases, by the same rules as one person, batch by batch."""
