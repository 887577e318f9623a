"""BERT: what Chinese text means, phoneme by phoneme, for the first stage.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers"
(https://arxiv.org/abs/1810.04805); GPT-SoVITS uses `chinese-roberta-wwm-ext-large`, and of its
layers all but the last two (upstream: TTS_infer_pack/TextPreprocessor.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, BertConfig, BertModel

from pipeline.engines.gpt_sovits.checkpoint import hf_folder
from pipeline.engines.gpt_sovits.features import pretrained
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes
from pipeline.errors import EngineError, ModelError

WIDTH = 1024
#: Layers above the one whose output is used.
LAYERS_ABOVE = 2

#: Names in the file that belong to the layers above, and to what pre-training predicts.
_UNUSED = r"encoder\.layer\.\d+\.|pooler\.|cls\.|embeddings\.(position_ids|token_type_ids)$"


class Bert:
    """The model and its tokenizer."""

    def __init__(self, model: nn.Module, tokenizer: Any, longest: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        #: Characters that fit into the model between its two marks.
        self._longest = longest

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Bert:
        """Read the model from a folder in the layout of the transformers library.

        Raises:
            ModelError: The folder is missing or incomplete, or holds another model.
        """
        hf_folder.check_bert(folder)
        config = pretrained.config(folder, BertConfig, width=WIDTH)
        if config.num_hidden_layers < LAYERS_ABOVE:
            raise ModelError(
                f"{folder / hf_folder.CONFIG}: a BERT of {config.num_hidden_layers} layers; "
                f"at least {LAYERS_ABOVE} are needed."
            )
        config.num_hidden_layers -= LAYERS_ABOVE
        model = pretrained.build(
            lambda: BertModel(config, add_pooling_layer=False),
            folder,
            prefix="bert.",
            unused=_UNUSED,
            device=device,
            dtype=dtype,
        )
        longest = config.max_position_embeddings - 2
        return cls(model, _tokenizer(folder), longest)

    @torch.inference_mode()
    def features(self, pieces: Sequence[Phonemes]) -> list[Tensor]:
        """Return the features of each piece, [WIDTH, T_ph]: of Chinese by BERT, else zeros.

        A piece's features do not depend on the others, but for the last digits.

        Raises:
            EngineError: A text is too long, or BERT reads other characters than it has.
        """
        chinese = [index for index, piece in enumerate(pieces) if piece.language == "zh"]
        found = [self._zeros(piece) for piece in pieces]
        if chinese:
            states = self._states([pieces[index] for index in chinese])
            for index, state in zip(chinese, states, strict=True):
                found[index] = _spread(state, pieces[index])
        return found

    def _states(self, pieces: Sequence[Phonemes]) -> list[Tensor]:
        """Return the vectors of each text's characters, [characters, WIDTH]."""
        for piece in pieces:
            if len(piece.norm) > self._longest:
                raise EngineError(
                    f"BERT reads at most {self._longest} characters at once; the text that begins "
                    f"with {piece.norm[:20]!r} has {len(piece.norm)}. Make the chunks shorter."
                )
        encoded = self._tokenizer(
            [piece.norm for piece in pieces], padding=True, return_tensors="pt"
        )
        lengths = encoded["attention_mask"].sum(dim=1).tolist()
        for piece, length in zip(pieces, lengths, strict=True):
            _check_length(piece, length - 2)
        output = self._model(**encoded.to(self._parameter.device)).last_hidden_state
        return [state[1 : length - 1] for state, length in zip(output, lengths, strict=True)]

    def _zeros(self, piece: Phonemes) -> Tensor:
        return self._parameter.new_zeros(WIDTH, len(piece.phonemes))

    @property
    def _parameter(self) -> Tensor:
        return next(self._model.parameters())


def _tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the library fails in many ways on files that are not a tokenizer
        raise ModelError(f"{folder}: the tokenizer's files cannot be used ({error}).") from error


def _check_length(piece: Phonemes, n_tokens: int) -> None:
    """Refuse a text of which BERT reads more or fewer pieces than it has characters.

    The front end leaves Chinese characters and punctuation only, each of which is a piece.
    """
    if n_tokens != len(piece.norm):
        raise EngineError(
            f"BERT reads {n_tokens} pieces in the {len(piece.norm)} characters of {piece.norm!r}; "
            "expected one for each. Letters, digits and spaces must be spelled out before."
        )


def _spread(state: Tensor, piece: Phonemes) -> Tensor:
    """Repeat each character's vector for its phonemes, [WIDTH, T_ph]."""
    assert piece.word2ph is not None, "Chinese pieces say which phonemes a character has"
    assert len(piece.word2ph) == len(piece.norm)
    assert sum(piece.word2ph) == len(piece.phonemes)
    counts = torch.tensor(piece.word2ph, device=state.device)
    return state.repeat_interleave(counts, dim=0).T
