"""More than one speaker in a recording, as far as timbre and pitch tell.

Pieces of about two seconds are parted into the two groups that differ most in mean spectrum and
pitch. One speaker is described about as well by one Gaussian over the cepstra of all voiced frames
as by one for each group; two speakers are not (the likelihood ratio behind the ΔBIC of Chen and
Gopalakrishnan, "Speaker, environment and channel change detection", 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples
from pipeline.audio.energy import SpeechSpan
from pipeline.models import mel
from pipeline.voices import frames, pitch

N_MELS = 40
#: Cepstral coefficients; the zeroth is loudness and is left out.
N_CEPSTRA = 12
PIECE_S = 2.0
#: What stands between two longer pauses is a piece if it is this long: speakers take turns there.
TURN_PAUSE_S, TURN_S = 0.25, 1.0
#: Fewer pieces cannot be parted, and as many are compared at most.
MIN_PIECES, MAX_PIECES = 6, 60
#: Voiced frames of a piece that say anything of its timbre, and of a group: 3 s.
MIN_VOICED, MIN_GROUP = 30, 300
#: Semitones that weigh as much as one standard deviation of a cepstral coefficient.
SEMITONES = 3.0
#: Gain in log-likelihood a frame (nats) from which there are two speakers. Single speakers reach
#: 0.5, most pairs exceed it (docs/voices.md).
TWO_SPEAKERS = 0.7

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Piece:
    """A few seconds of one speaker."""

    #: Of its voiced frames, [n, N_CEPSTRA].
    cepstra: Values
    #: Median pitch, semitones over 100 Hz.
    semitones: float


def difference(samples: Samples, runs: Sequence[SpeechSpan]) -> float:
    """Return how much better two speakers explain 16 kHz audio than one; 0 if it is too short."""
    pieces = _pieces(samples, runs)[:MAX_PIECES]
    if len(pieces) < MIN_PIECES:
        return 0.0
    is_second = _parted(pieces)
    groups = [_joined(pieces, ~is_second), _joined(pieces, is_second)]
    if min(map(len, groups)) < MIN_GROUP:
        return 0.0
    everything = np.concatenate(groups)
    apart = sum(len(group) * _spread(group) for group in groups) / len(everything)
    return float(_spread(everything) - apart) / 2


def _pieces(samples: Samples, runs: Sequence[SpeechSpan]) -> list[Piece]:
    tracked = pitch.track(samples)
    cepstra = _cepstra(samples)
    n_frames = min(len(cepstra), len(tracked.hz))
    pieces: list[Piece] = []
    for stretch in _stretches(runs):
        heard = stretch[stretch < n_frames]
        voiced = heard[tracked.is_voiced[heard]]
        if len(voiced) >= MIN_VOICED:
            octaves = np.log2(np.median(tracked.hz[voiced]) / 100.0)
            pieces.append(Piece(cepstra[voiced], float(12.0 * octaves)))
    return pieces


def _stretches(runs: Sequence[SpeechSpan]) -> list[npt.NDArray[np.int64]]:
    """Return the frames of each piece: two seconds, or less where a turn may be taken."""
    found: list[npt.NDArray[np.int64]] = []
    held: list[int] = []
    for at, run in enumerate(runs):
        held += range(run.start // frames.HOP_SAMPLES, run.end // frames.HOP_SAMPLES)
        pause = runs[at + 1].start - run.end if at + 1 < len(runs) else frames.RATE_HZ
        is_turn = pause >= TURN_PAUSE_S * frames.RATE_HZ
        if len(held) >= (TURN_S if is_turn else PIECE_S) * mel.FRAMES_PER_S:
            found.append(np.array(held))
            held = []
        elif is_turn:
            held = []
    return found


def _cepstra(samples: Samples) -> Values:
    """Return mel-frequency cepstral coefficients, shape [T / hop, N_CEPSTRA]."""
    logs = mel.log_mel(samples, N_MELS).T * 4.0 * np.log(10.0)
    order = np.arange(1, N_CEPSTRA + 1)[:, None]
    basis = np.cos(np.pi / N_MELS * order * (np.arange(N_MELS) + 0.5)) * np.sqrt(2.0 / N_MELS)
    return np.asarray(logs @ basis.T, np.float64)


def _parted(pieces: Sequence[Piece]) -> npt.NDArray[np.bool_]:
    """Part the pieces in two by k-means, from the best of all pairs to start with."""
    scale = np.concatenate([piece.cepstra for piece in pieces]).std(axis=0)
    points = np.array(
        [[*(piece.cepstra.mean(axis=0) / scale), piece.semitones / SEMITONES] for piece in pieces]
    )
    weights = np.array([len(piece.cepstra) for piece in pieces], float)
    tries = (_grouped(points, weights, points[list(pair)]) for pair in _starts(len(pieces)))
    return min(tries, key=lambda each: each[0])[1]


def _starts(n_pieces: int) -> list[tuple[int, int]]:
    """Return pairs of pieces to start from: all of them, or as many as are quick to try."""
    pairs = list(combinations(range(n_pieces), 2))
    return pairs[:: -(-len(pairs) // 400)]


def _grouped(
    points: Values, weights: Values, centres: Values
) -> tuple[float, npt.NDArray[np.bool_]]:
    """Return the cost of the groups around two centres that move to their means, and the groups."""
    for _ in range(10):
        distances = np.square(points[:, None] - centres).sum(axis=2)
        is_second = distances[:, 1] < distances[:, 0]
        if is_second.all() or not is_second.any():
            return float("inf"), is_second
        masks = (~is_second, is_second)
        centres = np.array([np.average(points[m], axis=0, weights=weights[m]) for m in masks])
    distances = np.square(points[:, None] - centres).sum(axis=2)
    return float((weights * distances.min(axis=1)).sum()), is_second


def _joined(pieces: Sequence[Piece], mask: npt.NDArray[np.bool_]) -> Values:
    chosen = [pieces[int(at)].cepstra for at in np.flatnonzero(mask)]
    return np.concatenate([np.empty((0, N_CEPSTRA)), *chosen])


def _spread(cepstra: Values) -> float:
    """Return the log-determinant of the covariance."""
    covariance = np.cov(cepstra.T) + 1e-3 * np.eye(cepstra.shape[1])
    return float(np.linalg.slogdet(covariance)[1])
