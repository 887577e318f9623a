"""Engines and judges of a worker process: loaded when first needed, then kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from pipeline.assembly.alignment.align import Aligner
from pipeline.checking.check import Checker
from pipeline.checking.policy import CheckPolicy
from pipeline.engines import catalogue
from pipeline.engines.protocol import Engine
from pipeline.errors import MismatchError
from pipeline.manifest.request import RenderRequest
from pipeline.models import resolve
from pipeline.models.whisper import Whisper
from pipeline.run.recipe import Recipe
from pipeline.run.stopwatch import Stopwatch
from pipeline.run.takes import Judges
from pipeline.settings import Settings

#: Engines with different parameters kept at once; their models are shared where they can be.
MAX_ENGINES = 4


@dataclass(slots=True)
class Tools:
    """The models of one process, and what it has just made with them."""

    settings: Settings
    _engines: OrderedDict[tuple[str, tuple[tuple[str, str], ...]], Engine] = field(
        default_factory=OrderedDict
    )
    _judges: dict[str, Judges] = field(default_factory=dict)
    _at_hand: dict[str, bytes] = field(default_factory=dict)

    def engine(self, request: RenderRequest, recipe: Recipe) -> Engine:
        """Return the engine of a request, made sure to be the one that it was planned for.

        Raises:
            MismatchError: This worker has other models, or another edition of the voice.
        """
        key = (request.engine, request.engine_options)
        if key not in self._engines:
            options = dict(request.engine_options)
            self._engines[key] = catalogue.load(request.engine, self.settings, options)
            while len(self._engines) > MAX_ENGINES:
                self._engines.popitem(last=False)
        self._engines.move_to_end(key)
        _require_same(self._engines[key], recipe)
        return self._engines[key]

    def judges(self, request: RenderRequest, recipe: Recipe) -> Judges:
        """Return what times and judges the takes of a request.

        Raises:
            MismatchError: This worker judges in another way than was planned.
        """
        if request.check not in self._judges:
            self._judges[request.check] = self._load_judges(CheckPolicy(mode=request.check))
        judges = self._judges[request.check]
        found = judges.fingerprint
        if found != recipe.checker:
            raise MismatchError(
                f"This worker checks by {found}, the job was planned for {recipe.checker}. Update "
                "the older of the two, or submit the job again under another id."
            )
        return judges

    def keep_at_hand(self, stored: dict[str, bytes]) -> None:
        """Keep the takes of a shard that was just spoken: often it is checked next, and here."""
        self._at_hand = stored

    def take_at_hand(self) -> dict[str, bytes]:
        """Return the takes at hand, once: later the store may hold others under their keys."""
        at_hand, self._at_hand = self._at_hand, {}
        return at_hand

    def _load_judges(self, policy: CheckPolicy) -> Judges:
        whisper = None
        if policy.mode != "off":
            folder = resolve.model_dir("whisper-base", settings=self.settings)
            whisper = Whisper(folder, threads=1)
        return Judges(Aligner(whisper), Checker(whisper, policy), Stopwatch())


def _require_same(engine: Engine, recipe: Recipe) -> None:
    found = engine.fingerprint()
    if found != recipe.engine_fingerprint:
        raise MismatchError(
            f"This worker's engine is {found}, the job was planned for "
            f"{recipe.engine_fingerprint}. Update the older of the two, or submit the job again "
            "under another id."
        )
    for voice, revision in recipe.voice_revisions.items():
        if engine.voice_revision(voice) != revision:
            raise MismatchError(
                f"The voice {voice!r} is another one here than when the job was planned. Share "
                "one store of voices with VOXMILL_VOICES_URL, or submit the job again."
            )
