"""Every setting of every program, in one typed place.

Values come from the environment (`SAMPLE_AGENT_…`) or a `.env` file. Secrets have no default: in development they are
generated into the data folder on first start; in production a missing secret stops the program with its name.
"""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from sample_agent.core.secret_files import read_or_create_secret

PlanId = Literal["free", "pro", "enterprise"]


_SENDGRID = "smtp.sendgrid.net"


class MissingSecretError(RuntimeError):
    """A secret the program cannot invent outside development was not given."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"{variable} is not set. Outside development every secret must be given by the environment.")


def default_data_dir() -> Path:
    """The folder for database, files and keys: `/var/lib/sample-agent` for root, else the user's data folder."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/sample-agent")
    return Path(platformdirs.user_data_dir("sample-agent", appauthor=False))


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="SAMPLE_AGENT_",
        env_file=".env",
        env_ignore_empty=True,  # `NAME=` in a compose file means not set, and never an empty secret
        extra="ignore",
        populate_by_name=True,
        validate_default=True,
        frozen=True,
    )

    environment: Literal["development", "production"] = Field(
        "development",
        description="development generates secrets and keeps mail in an outbox; production does neither",
    )
    data_dir: Path = Field(default_factory=default_data_dir, description="database, audio files, keys and outbox")

    host: str = Field("127.0.0.1", description="address the HTTP servers listen on")
    port: int = Field(8000, ge=0, le=65535, description="port of `serve` and of the accounts API")
    public_url: str = Field("", description="where people reach the web app; unset: localhost")
    library_url: str = Field("", description="where browsers reach the library API; empty: same origin as the web app")
    engine_url: str = Field("", description="the engine API; empty: analyse in child processes of the worker")
    engine_token: SecretStr | None = Field(
        None, min_length=16, description="bearer token the engine API asks for, 16+ characters"
    )
    engine_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="hosts the engine may fetch from, comma separated: `name` (the scheme's port) or "
        "`name:port`; unset: where this installation keeps its files",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="origins that may call the APIs from a browser, comma separated; the web app's is always one",
    )

    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("database_url", "DATABASE_URL", "SAMPLE_AGENT_DATABASE_URL"),
        description="PostgreSQL 16+ as the application role; unset: an embedded server is started",
    )
    database_owner_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("database_owner_url", "DATABASE_OWNER_URL", "SAMPLE_AGENT_DATABASE_OWNER_URL"),
        description="the role that owns the tables, for migrations; unset: DATABASE_URL",
    )
    database_pool_size: int = Field(10, ge=1, description="connections per process")

    redis_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("redis_url", "REDIS_URL", "SAMPLE_AGENT_REDIS_URL"),
        description="Redis or Valkey that request limits are shared through; unset: each process counts for itself",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="networks of your own reverse proxies, comma separated, whose X-Forwarded-For is believed",
    )
    admin_allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="networks that /api/admin may be used from, comma separated; unset: all"
    )
    requests_per_minute: int | None = Field(
        None,
        ge=0,
        description="requests of one account or API key; 0: no limit; unset: no limit in development, else 100",
    )
    auth_requests_per_quarter_hour: int = Field(
        100, ge=0, description="requests of one address to /api/auth/ before signing in; 0: no limit"
    )
    sign_in_failures_per_quarter_hour: int = Field(
        10, ge=0, description="failed sign-ins to one account from one address, or from a known device; 0: no limit"
    )
    sign_in_failures_per_hour: int = Field(
        50, ge=0, description="failed sign-ins to one account from everywhere but its known devices; 0: no limit"
    )
    mails_per_hour: int = Field(
        5, ge=0, description="mails that anybody can have sent to one mail address; 0: no limit"
    )

    storage_bucket: str = Field("", description="S3 or R2 bucket; empty: files in the data folder")
    storage_endpoint: str = Field("", description="S3 endpoint URL; empty: AWS")
    storage_region: str = Field("auto", description="bucket region")
    storage_access_key_id: str = Field("", description="access key of the bucket")
    storage_secret_access_key: SecretStr | None = Field(None, description="secret key of the bucket")
    signing_key: SecretStr | None = Field(
        None, min_length=32, description="key for signed links and refresh tokens, 32+ characters"
    )
    sealing_key: SecretStr | None = Field(
        None,
        description="key that seals what is kept of second factors, 32+ characters; after a space, older ones",
    )

    jwt_private_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("jwt_private_key", "JWT_PRIVATE_KEY", "SAMPLE_AGENT_JWT_PRIVATE_KEY"),
        description="PEM of the RS256 signing key; unset in development: generated into the data folder",
    )
    jwt_public_key: str = Field(
        "",
        validation_alias=AliasChoices("jwt_public_key", "JWT_PUBLIC_KEY", "SAMPLE_AGENT_JWT_PUBLIC_KEY"),
        description="PEM of the keys that verify access tokens, one after another; for services that do not sign",
    )
    access_token_seconds: int = Field(3600, ge=60, description="lifetime of an access token")
    refresh_idle_days: int = Field(7, ge=1, description="a session unused for so long ends")
    refresh_absolute_days: int = Field(30, ge=1, description="a session ends after so long, used or not")
    step_up_minutes: int = Field(10, ge=1, description="how long a proof of who one is lasts for dangerous acts")
    password_hash: Literal["argon2id", "bcrypt"] = Field(
        "argon2id", description="how new passwords are hashed; hashes of the other kind are renewed at sign-in"
    )
    password_hash_passes: int | None = Field(
        None,
        ge=2,
        le=32,
        description="passes of Argon2id over 19 MiB; unset: as many as take 40 to 80 ms here, measured at start",
    )
    password_hash_concurrency: int = Field(2, ge=1, description="password hashes computed at once per process")

    sendgrid_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("sendgrid_api_key", "SENDGRID_API_KEY", "SAMPLE_AGENT_SENDGRID_API_KEY"),
        description="all that SendGrid needs; any other provider, or a server of your own, by SAMPLE_AGENT_SMTP_…",
    )
    smtp_host: str = Field("", description="mail server; empty in development: mails go to the outbox page")
    smtp_port: int = Field(587, description="port of the mail server")
    smtp_username: str = Field("", description="user at the mail server")
    smtp_password: SecretStr | None = Field(None, description="password at the mail server")
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="transport security")
    mail_from: str = Field("Sample Agent <no-reply@localhost>", description="sender of mails")

    default_plan: PlanId | None = Field(
        None,
        description="plan of a new account; unset: enterprise in development (your own machine), else free",
    )
    worker_processes: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="files analysed at once by one worker"
    )
    worker_port: int = Field(8102, ge=0, le=65535, description="port of the worker's metrics and health")
    analysis_timeout_seconds: float = Field(120, gt=0, description="wall-clock limit for one file")
    analysis_memory_mb: int = Field(1536, ge=256, description="memory limit for the analysis of one file")
    job_max_attempts: int = Field(3, ge=1, description="attempts before a job fails for good")
    job_heartbeat_seconds: float = Field(20, gt=0, description="a worker silent for so long loses its jobs")
    job_ageing_seconds: float = Field(60, gt=0, description="a job waiting for so long stands in line with any plan's")
    job_stop_seconds: float = Field(20, ge=0, description="how long a worker told to stop may finish what it began")
    trash_days: int = Field(30, ge=1, description="days a deleted sample can be restored")

    log_format: Literal["json", "console"] | None = Field(None, description="unset: console in development, else json")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severity logged")

    @field_validator("engine_allowed_hosts", "cors_origins", "trusted_proxies", "admin_allowed_networks", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("sealing_key")
    @classmethod
    def _are_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and min(map(len, value.get_secret_value().split()), default=0) < 32:
            raise ValueError("should have 32 characters or more, and so should each of several")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://", "valkey://", "valkeys://")):
            raise ValueError("should begin with redis://, rediss://, valkey:// or valkeys://")
        return value

    @field_validator("smtp_host")
    @classmethod
    def _sendgrid_by_its_key(cls, value: str, info: ValidationInfo) -> str:
        return value or (_SENDGRID if info.data.get("sendgrid_api_key") else "")

    @field_validator("smtp_username")
    @classmethod
    def _sendgrids_user(cls, value: str, info: ValidationInfo) -> str:
        return value or ("apikey" if _sends_by_sendgrid(info) else "")

    @field_validator("smtp_password")
    @classmethod
    def _sendgrids_password(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        return value or (info.data["sendgrid_api_key"] if _sends_by_sendgrid(info) else None)

    @field_validator("public_url", "library_url", "engine_url", "storage_endpoint")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _this_machine_by_default(cls, value: str, info: ValidationInfo) -> str:
        # A port that is none has a complaint of its own, and is not in the data.
        return value or f"http://localhost:{info.data.get('port', '')}"

    @property
    def development(self) -> bool:
        return self.environment == "development"

    @property
    def plan_for_new_accounts(self) -> PlanId:
        return self.default_plan or ("enterprise" if self.development else "free")

    @property
    def requests_per_minute_of_one(self) -> int:
        """Requests a minute that one account or API key may send; 0 is no limit."""
        if self.requests_per_minute is None:
            return 0 if self.development else 100
        return self.requests_per_minute

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def outbox_dir(self) -> Path:
        return self.data_dir / "outbox"

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    def signing_key_bytes(self) -> bytes:
        """The HMAC key for signed links. Raises MissingSecretError in production when it is not given."""
        return self._secret(self.signing_key, "SAMPLE_AGENT_SIGNING_KEY", "signing.key").encode()

    @property
    def sealing_keys_file(self) -> Path:
        """Where the sealing keys are that the environment does not give, the first on top."""
        return self.keys_dir / "sealing.key"

    def sealing_keys(self) -> tuple[bytes, ...]:
        """The keys of `core.sealing`, as they are now. Raises MissingSecretError in production when there are none."""
        if self.sealing_key is not None:
            text = self.sealing_key.get_secret_value()
        elif self.sealing_keys_file.exists():
            text = self.sealing_keys_file.read_text()
        else:
            text = self._secret(None, "SAMPLE_AGENT_SEALING_KEY", self.sealing_keys_file.name)
        return tuple(key.encode() for key in text.split())

    def engine_token_value(self) -> str:
        """The engine API's bearer token. Raises MissingSecretError in production when it is not given."""
        return self._secret(self.engine_token, "SAMPLE_AGENT_ENGINE_TOKEN", "engine.token")

    def _secret(self, given: SecretStr | None, variable: str, file_name: str) -> str:
        if given is not None:
            return given.get_secret_value()
        if not self.development:
            raise MissingSecretError(variable)
        return read_or_create_secret(self.keys_dir / file_name, lambda: secrets.token_urlsafe(48))


def _sends_by_sendgrid(info: ValidationInfo) -> bool:
    return bool(info.data.get("sendgrid_api_key")) and info.data.get("smtp_host") == _SENDGRID


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
