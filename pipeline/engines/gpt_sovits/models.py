"""The networks of a voice-cloning model, loaded from the files people have.

BERT, HuBERT and speaker verification are shared by all fine-tunes of a process; those that only
make voice prompts are loaded when the first prompt is made, since a worker that finds its prompts
in the store never needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import nn

from pipeline.engines.gpt_sovits.checkpoint import container
from pipeline.engines.gpt_sovits.device import Placement
from pipeline.engines.gpt_sovits.features import eres2net_weights
from pipeline.engines.gpt_sovits.features.bert import Bert
from pipeline.engines.gpt_sovits.features.eres2net import ERes2NetV2
from pipeline.engines.gpt_sovits.features.hubert import Hubert
from pipeline.engines.gpt_sovits.semantic import weights as semantic_weights
from pipeline.engines.gpt_sovits.semantic.config import SemanticConfig
from pipeline.engines.gpt_sovits.semantic.linear import PackedLinear
from pipeline.engines.gpt_sovits.semantic.model import TextToSemantic
from pipeline.engines.gpt_sovits.sovits.model import SoVITS
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion
from pipeline.errors import ModelError


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where the parts of a model are."""

    #: Checkpoint of the GPT stage, `.ckpt`.
    s1: Path
    #: Checkpoint of the SoVITS stage, `.pth`.
    s2: Path
    #: Folder of BERT.
    bert: Path
    #: Folder of HuBERT.
    hubert: Path
    #: Checkpoint of speaker verification; v2Pro and v2ProPlus need it.
    verification: Path | None = None
    #: Folder of G2PW, which reads Chinese polyphones by their context.
    g2pw: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FineTune:
    """The two stages that are trained for a voice."""

    semantic: TextToSemantic
    sovits: SoVITS

    @property
    def symbols(self) -> SymbolVersion:
        """Which symbol table its phonemes are from."""
        return "v1" if self.sovits.config.version == "v1" else "v2"

    @property
    def n_bytes(self) -> int:
        """Memory of its weights."""
        return n_bytes((self.semantic, self.sovits))


@dataclass(eq=False)
class Encoders:
    """The networks that listen and read; the same for every fine-tune."""

    files: ModelFiles
    placement: Placement

    @cached_property
    def bert(self) -> Bert:
        """Reads Chinese."""
        return Bert.load(
            self.files.bert, device=self.placement.device, dtype=self.placement.encoders
        )

    @cached_property
    def hubert(self) -> Hubert:
        """Hears what is said in reference audio."""
        return Hubert.load(
            self.files.hubert, device=self.placement.device, dtype=self.placement.encoders
        )

    @cached_property
    def verification(self) -> ERes2NetV2:
        """Hears who speaks.

        Raises:
            ModelError: Its file was not given.
        """
        if self.files.verification is None:
            raise ModelError(
                f"{self.files.s2}: a v2Pro model needs the speaker verification model "
                "sv/pretrained_eres2netv2w24s4ep4.ckpt. "
                "Get it with: voxmill models pull gpt-sovits-v2Pro"
            )
        return eres2net_weights.load(self.files.verification, device=self.placement.device)


def load_fine_tune(s1: Path, s2: Path, placement: Placement) -> FineTune:
    """Load the two stages of a model.

    Raises:
        ModelError: A file is missing, damaged, or not what it should be.
    """
    first, second = container.read(s1, expect="s1"), container.read(s2, expect="s2")
    container.check_pair(first, second)
    try:
        config = SemanticConfig.from_checkpoint(first.config)
        semantic = semantic_weights.build(
            config, first.weights, placement.semantic, placement.device
        )
    except ValueError as error:
        raise ModelError(f"{s1}: not a GPT model that this engine knows: {error}.") from error
    sovits = SoVITS.from_weights(
        second.config, second.weights, precision=placement.vocoder, device=placement.device
    )
    return FineTune(semantic, sovits)


def n_bytes(networks: Sequence[nn.Module]) -> int:
    """Return the memory of the networks' weights."""
    tensors = (each for network in networks for each in (*network.parameters(), *network.buffers()))
    modules = (module for network in networks for module in network.modules())
    packed = sum(module.n_bytes for module in modules if isinstance(module, PackedLinear))
    return packed + sum(tensor.numel() * tensor.element_size() for tensor in tensors)
