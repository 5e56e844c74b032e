"""`sample-agent settings`: the table of all settings."""

from __future__ import annotations

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table

from sample_agent.core.settings import Settings


def settings_table(settings: Settings) -> None:
    """Print each setting's variable, value and meaning; of a secret only whether it is set."""
    table = Table("Variable", "Value", "Meaning", header_style="bold")
    for name, field in Settings.model_fields.items():
        table.add_row(_variable(name, field), _shown(getattr(settings, name)), field.description or "")
    Console().print(table)


def _variable(name: str, field: FieldInfo) -> str:
    if isinstance(field.validation_alias, AliasChoices):
        return str(field.validation_alias.choices[1])
    return f"SAMPLE_AGENT_{name.upper()}"


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set)"
    if value is None or value in ("", ()):
        return "(not set)"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
