"""The audit log: what happened to whom, by whom; added to and never changed."""

from sample_agent.accounts.audit.actions import Action
from sample_agent.accounts.audit.log import INSTALLATION, OPERATOR, SYSTEM, Actor, Subject, record

__all__ = ["INSTALLATION", "OPERATOR", "SYSTEM", "Action", "Actor", "Subject", "record"]
