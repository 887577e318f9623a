"""Voices of the registry as a set of models hears them: computed once, shared by all workers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from uuid import UUID

from pipeline.engines.gpt_sovits.synthesizer import Synthesizer
from pipeline.engines.gpt_sovits.voice_prompt import VoicePrompt
from pipeline.errors import CorruptObjectError, RequestError
from pipeline.manifest.voice import Voice
from pipeline.store.protocol import ObjectStore
from pipeline.voices import naming, prompts, registry

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ClonedVoices:
    """The voices of a store, and what is known of them in this process."""

    store: ObjectStore
    _prompts: dict[tuple[str, str, str], VoicePrompt] = field(default_factory=dict)
    #: Of voices by name, so that one record is read to find one, not all.
    _uuids: dict[str, UUID] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return what the voices are called."""
        return [voice.name for voice in self.all()]

    def all(self) -> list[Voice]:
        """Return every voice."""
        return registry.all_voices(self.store)

    def get(self, name: str) -> Voice:
        """Return a voice; it has its owner's consent, or there would be no record of it.

        Raises:
            RequestError: There is no such voice.
            CorruptObjectError: Its record is damaged or lacks the consent.
        """
        if not name:
            raise RequestError(
                "gpt-sovits speaks in cloned voices: name one with --voice, or make one with "
                f"`voxmill voices add`. There are: {', '.join(self.names()) or 'none yet'}."
            )
        known = self._uuids.get(name)
        voice = registry.read(known, self.store) if known else None
        # Another name, or none: somebody has renamed or removed it.
        if voice is None or naming.key(voice.name) != naming.key(name):
            voice = registry.find(name, self.store)
        self._uuids[name] = voice.uuid
        return voice

    def prompt(
        self, voice: Voice, mode: str, fingerprint: str, synthesizer: Synthesizer
    ) -> VoicePrompt:
        """Return the voice's prompt: from memory, from the store, or made of its audio.

        Args:
            voice: The voice.
            mode: Language mode of its reference text.
            fingerprint: Identifies the models; prompts of other models are never used.
            synthesizer: Listens, where nobody has before.
        """
        key = (str(voice.uuid), voice.revision, fingerprint)
        if key not in self._prompts:
            self._prompts[key] = self._stored(voice, fingerprint) or self._made(
                voice, mode, fingerprint, synthesizer
            )
        return self._prompts[key]

    def _stored(self, voice: Voice, fingerprint: str) -> VoicePrompt | None:
        data = prompts.load_prompt(voice, fingerprint, self.store)
        try:
            return VoicePrompt.decode(data) if data else None
        except CorruptObjectError as error:
            log.warning("the prompt of voice %s is made again: %s", voice.name, error)
            return None

    def _made(
        self, voice: Voice, mode: str, fingerprint: str, synthesizer: Synthesizer
    ) -> VoicePrompt:
        clips = [registry.clip(voice, self.store), *registry.aux_clips(voice, self.store)]
        heard = [(clip.samples, clip.sample_rate_hz) for clip in clips]
        prompt = synthesizer.make_prompt(heard, voice.text, mode)
        prompts.store_prompt(voice, fingerprint, prompt.encode(), self.store)
        return prompt
