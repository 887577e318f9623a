"""Settings: read once at the entry point from `VOXMILL_…` variables, then passed down."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_models_dir() -> Path:
    return Path(platformdirs.user_data_dir("voxmill")) / "models"


def _default_voices_dir() -> Path:
    return Path(platformdirs.user_data_dir("voxmill")) / "voices-store"


def _default_stack_dir() -> Path:
    return Path(platformdirs.user_data_dir("voxmill")) / "stack"


class Settings(BaseSettings):
    """What depends on the machine, not on the book."""

    model_config = SettingsConfigDict(env_prefix="VOXMILL_", frozen=True, extra="ignore")

    #: Where model files are kept: `models_dir/NAME/…`.
    models_dir: Path = Field(default_factory=_default_models_dir)
    #: The store of cloned voices: `voices_dir/voices/UUID/…`.
    voices_dir: Path = Field(default_factory=_default_voices_dir)
    #: GPT-SoVITS's `pretrained_models`, or a folder like it; None means `models_dir/gpt-sovits`.
    gpt_sovits_dir: Path | None = None
    #: Where the cloning engine computes: auto, cpu, cuda or cuda:N.
    device: str = "auto"
    #: In which precision: auto, fp32, bf16, fp16 or int8.
    precision: str = "auto"
    #: A Whisper model folder to use instead of looking for one.
    whisper_path: Path | None = None
    #: Host of the model hub; a mirror works too.
    hub_url: str = "https://huggingface.co"
    #: Never look for models outside this machine.
    offline: bool = False
    #: Processes that synthesize and check; 0 means one for each core.
    jobs: int = Field(default=0, ge=0)
    #: Largest script, in characters, before it is refused as a mistake.
    max_script_chars: int = Field(default=20_000_000, gt=0)
    #: Engines besides our own, by name: `{"mine": "package.module:Class"}`.
    engines: dict[str, str] = Field(default_factory=dict)

    #: The queue's object store: `s3://bucket/prefix`, or a folder all machines see.
    store_url: str = ""
    #: The stack on this machine (`voxmill stack`), which is used where no store is named.
    stack_dir: Path = Field(default_factory=_default_stack_dir)
    #: Where cloned voices are, when not in `voices_dir`: `s3://bucket/prefix`.
    voices_url: str = ""
    #: An S3-compatible server; None means Amazon's.
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    #: None means what boto3 finds by itself: instance roles, profiles.
    s3_access_key_id: SecretStr | None = None
    s3_secret_access_key: SecretStr | None = None
    s3_session_token: SecretStr | None = None
    #: Certificates to trust, where the server's are not signed by a public authority.
    s3_ca_bundle: Path | None = None
    #: Leases and progress; `rediss://user:password@host:port/0` for TLS.
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    #: Carries the messages: Redis or `amqps://…`; None means `redis_url`.
    broker_url: SecretStr | None = None
    #: Whose jobs these are; each tenant has a tree and quotas of its own.
    tenant: str = ""
    #: What each tenant may have at once: `{"acme": {"jobs": 10, "chunks": 50000, "shards": 8}}`.
    quotas: dict[str, dict[str, int]] = Field(default_factory=dict)
    #: How long a silent worker keeps what it works at.
    lease_s: float = Field(default=60.0, gt=0)
    #: Between two rounds of the reconciler.
    reconcile_every_s: float = Field(default=5.0, gt=0)
    #: A message is given so long to be taken before it may be thought lost.
    slack_s: float = Field(default=10.0, gt=0)
    #: Longest work on one shard, and on one book's files, before the process is killed.
    shard_time_limit_s: float = Field(default=300.0, gt=0)
    finalize_time_limit_s: float = Field(default=21_600.0, gt=0)
    #: How long a worker that is told to stop may go on with what it has begun.
    grace_s: float = Field(default=60.0, ge=0)
    #: Chunks in a shard; 0 means what the engine likes.
    shard_chunks: int = Field(default=0, ge=0)
    #: Where books are put together; None means the system's temporary folder.
    scratch_dir: Path | None = None
    #: Signs webhooks.
    webhook_secret: SecretStr | None = None
    #: Hosts that inputs may be fetched from and webhooks sent to although they are private.
    allowed_hosts: tuple[str, ...] = ()
    #: Buckets that may be read from and delivered to besides the store's; empty means any.
    allowed_buckets: tuple[str, ...] = ()
    #: Port of `/metrics`, `/healthz` and `/readyz`; 0 takes a free one, None serves none.
    metrics_port: int | None = None
    #: Where those answer; containers say 0.0.0.0.
    metrics_host: str = "127.0.0.1"
    #: Names a process in its log lines.
    process_name: str = "worker"
    #: Tells one life of a process from the next; its commands set it.
    process_life: str = ""
    log_format: Literal["text", "json"] = "text"

    @property
    def gpt_sovits_folder(self) -> Path:
        """Where the models of GPT-SoVITS are kept."""
        return (self.gpt_sovits_dir or self.models_dir / "gpt-sovits").expanduser()
