"""What programs read from the environment."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sample_agent.core.settings import Settings

SECRETS = ["SAMPLE_AGENT_SIGNING_KEY", "SAMPLE_AGENT_ENGINE_TOKEN", "JWT_PRIVATE_KEY"]


@pytest.mark.parametrize("variable", SECRETS)
def test_an_empty_variable_is_no_secret(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "")
    settings = Settings(_env_file=None)
    assert (settings.signing_key, settings.engine_token, settings.jwt_private_key) == (None, None, None)


@pytest.mark.parametrize("variable", ["SAMPLE_AGENT_SIGNING_KEY", "SAMPLE_AGENT_ENGINE_TOKEN"])
def test_a_secret_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "secret")
    with pytest.raises(ValidationError, match="at least"):
        Settings(_env_file=None)


@pytest.mark.parametrize("port", ["eight thousand", "99999", "-1"])
def test_what_is_no_port_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("SAMPLE_AGENT_PORT", port)
    with pytest.raises(ValidationError) as refusal:
        Settings(_env_file=None)
    assert [error["loc"] for error in refusal.value.errors()] == [("port",)]


def test_sendgrid_needs_its_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.key")
    settings = Settings(_env_file=None)
    assert (settings.smtp_host, settings.smtp_port, settings.smtp_security) == ("smtp.sendgrid.net", 587, "starttls")
    assert settings.smtp_username == "apikey"
    assert settings.smtp_password is not None
    assert settings.smtp_password.get_secret_value() == "SG.key"


def test_a_mail_server_that_is_named_is_not_given_the_key_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.key")
    monkeypatch.setenv("SAMPLE_AGENT_SMTP_HOST", "mail.example.com")
    settings = Settings(_env_file=None)
    assert (settings.smtp_host, settings.smtp_username, settings.smtp_password) == ("mail.example.com", "", None)
