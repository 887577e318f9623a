"""Settings: read once at the entry point from `VOXMILL_…` variables, then passed down."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_models_dir() -> Path:
    return Path(platformdirs.user_data_dir("voxmill")) / "models"


def _default_voices_dir() -> Path:
    return Path(platformdirs.user_data_dir("voxmill")) / "voices-store"


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

    @property
    def gpt_sovits_folder(self) -> Path:
        """Where the models of GPT-SoVITS are kept."""
        return (self.gpt_sovits_dir or self.models_dir / "gpt-sovits").expanduser()
