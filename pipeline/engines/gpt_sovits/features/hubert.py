"""HuBERT: what is said in a clip, from which the quantizer makes semantic tokens.

Hsu et al., "HuBERT: Self-Supervised Speech Representation Learning by Masked Prediction of Hidden
Units" (https://arxiv.org/abs/2106.07447); GPT-SoVITS uses `chinese-hubert-base`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import HubertConfig, HubertModel

from pipeline.engines.gpt_sovits.checkpoint import hf_folder
from pipeline.engines.gpt_sovits.features import pretrained

SAMPLE_RATE_HZ = 16_000
WIDTH = 768
#: Fewer samples than this fill no frame.
SHORTEST_SAMPLES = 400

#: What pre-training alone uses.
_UNUSED = r"masked_spec_embed|final_proj|label_embs|mask_emb"


class Hubert:
    """The model, one clip at a time: its first layer is normalised over the whole of a clip."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Hubert:
        """Read the model from a folder in the layout of the transformers library.

        Raises:
            ModelError: The folder is missing or incomplete, or holds another model.
        """
        hf_folder.check_hubert(folder)
        config = pretrained.config(folder, HubertConfig, width=WIDTH)
        config.mask_time_prob = config.mask_feature_prob = 0.0  # Masks are for pre-training.
        model = pretrained.build(
            lambda: HubertModel(config),
            folder,
            prefix="hubert.",
            unused=_UNUSED,
            device=device,
            dtype=dtype,
        )
        return cls(model)

    @torch.inference_mode()
    def features(self, waveform_16k: Tensor) -> Tensor:
        """Return the last layer's output.

        Args:
            waveform_16k: [T], in [-1, 1] and as loud as it is: upstream does not normalise it.

        Returns:
            [1, C=768, T_frames]; 50 frames a second.
        """
        assert waveform_16k.ndim == 1
        assert len(waveform_16k) >= SHORTEST_SAMPLES, "shorter than a frame"
        parameter = next(self._model.parameters())
        output = self._model(waveform_16k[None].to(parameter))
        return output.last_hidden_state.transpose(1, 2)
