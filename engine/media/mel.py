"""Sound to the log-mel picture that Whisper reads.

In: samples, 16 kHz mono, float32 in [-1, 1]. Out: [M mel bins, F frames] float32, a frame each 10 ms, equal to
``log_mel_spectrogram`` of OpenAI's reference (``whisper/audio.py``) within 1e-4.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
FFT_SAMPLES = 400  # 25 ms
HOP_SAMPLES = 160  # 10 ms
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP_SAMPLES
BINS = FFT_SAMPLES // 2 + 1

# Slaney's mel scale (Auditory Toolbox, 1998): linear up to 1 kHz, 15 mel there, then a factor of 6.4 in 27 steps.
LINEAR_HZ_PER_MEL = 200.0 / 3
KNEE_HZ = 1000.0
KNEE_MEL = KNEE_HZ / LINEAR_HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27.0

QUIETEST = 1e-10  # of the power; the reference's clamp
RANGE_DECADES = 8.0  # what is weaker than the loudest by more than this is lifted to it


QUIETEST_LOG = np.float32(np.log10(QUIETEST))
FRAMES_AT_ONCE = 512  # what fits the processor's cache
# A product of matrices so small that the linear algebra library does it on the calling thread: its others would wait,
# spinning, for processors that the model is using (30 s of sound then took 230 ms instead of 6).
FRAMES_PER_PRODUCT = 8


def log_mel(samples: NDArray[np.float32], mels: int = 80, frames: int | None = None) -> NDArray[np.float32]:
    """[mels, frames] float32: log10 of the mel power, 8 decades below its maximum at most, then (x + 4) / 4.

    ``frames`` first pads the sound with zeros, or cuts it, to that many frames; without it there are
    ``len(samples) // 160`` of them.
    """
    sound = np.asarray(samples, np.float32).reshape(-1)
    wanted = len(sound) // HOP_SAMPLES if frames is None else frames
    # A frame that lies wholly in the padding needs no transform.
    heard = min(wanted, -(-(len(sound) + FFT_SAMPLES // 2) // HOP_SAMPLES)) if len(sound) else 0
    picture = np.full((mels, wanted), QUIETEST_LOG, np.float32)
    if heard:
        total = len(sound) if frames is None else frames * HOP_SAMPLES
        _log_power(_padded(sound[:total], total, heard), mels, picture[:, :heard])
        np.maximum(picture, picture.max() - np.float32(RANGE_DECADES), out=picture)
    picture += np.float32(4)
    picture *= np.float32(0.25)
    return picture


def _padded(sound: NDArray[np.float32], total: int, heard: int) -> NDArray[np.float32]:
    """The sound with zeros after it and half a window mirrored at both ends, as far as ``heard`` frames need it."""
    needed = min(total, heard * HOP_SAMPLES + FFT_SAMPLES)
    if needed > len(sound):
        sound = np.concatenate((sound, np.zeros(needed - len(sound), np.float32)))
    return np.pad(sound, FFT_SAMPLES // 2, mode="reflect")


def _log_power(padded: NDArray[np.float32], mels: int, out: NDArray[np.float32]) -> None:
    """Fill ``out`` [M, F] with log10 of the power in each mel bin."""
    windows = sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES]  # [F, 400], no copy
    filters, window = mel_filters(mels), _hann()
    for begin in range(0, out.shape[1], FRAMES_AT_ONCE):
        part = windows[begin : begin + min(FRAMES_AT_ONCE, out.shape[1] - begin)]
        # In float64: as fast as float32 here, and what is 8 decades down is still exact.
        spectrum = np.fft.rfft(part * window)  # [F, 201]
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        place = out[:, begin : begin + len(part)]
        whole = len(part) // FRAMES_PER_PRODUCT * FRAMES_PER_PRODUCT
        batches = power[:whole].reshape(-1, FRAMES_PER_PRODUCT, BINS) @ filters.T  # [F / 8, 8, M]
        place[:, :whole] = batches.reshape(whole, mels).T
        place[:, whole:] = filters @ power[whole:].T
        np.maximum(place, np.float32(QUIETEST), out=place)
        np.log10(place, out=place)


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float64]:
    """[400] the periodic one: it would be zero again at sample 400"""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT_SAMPLES) / FFT_SAMPLES)


@lru_cache(maxsize=4)
def mel_filters(mels: int) -> NDArray[np.float32]:
    """[mels, 201] triangles on Slaney's scale from 0 to 8 kHz, each of the area 1 Hz (``2 / width``)."""
    corners_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE_HZ / 2), mels + 2))
    bins_hz = np.arange(BINS) * (SAMPLE_RATE_HZ / FFT_SAMPLES)
    widths_hz = np.diff(corners_hz)  # [mels + 1]
    from_corner = bins_hz[None, :] - corners_hz[:, None]  # [mels + 2, 201]
    rising = from_corner[:-2] / widths_hz[:-1, None]
    falling = -from_corner[2:] / widths_hz[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters = (triangles * (2.0 / (corners_hz[2:] - corners_hz[:-2]))[:, None]).astype(np.float32)
    filters.setflags(write=False)  # shared by all calls
    return filters


def _hz_to_mel(hz: float) -> float:
    return hz / LINEAR_HZ_PER_MEL if hz < KNEE_HZ else KNEE_MEL + float(np.log(hz / KNEE_HZ)) / LOG_STEP


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < KNEE_MEL, mel * LINEAR_HZ_PER_MEL, KNEE_HZ * np.exp((mel - KNEE_MEL) * LOG_STEP))
