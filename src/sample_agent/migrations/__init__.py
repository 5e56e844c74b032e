"""Alembic migrations; `sample_agent.apps.migrate` runs them."""
