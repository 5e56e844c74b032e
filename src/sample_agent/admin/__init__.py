"""What administrators of the installation do: look after accounts, help people, read the audit log."""

from sample_agent.admin.api import router

__all__ = ["router"]
