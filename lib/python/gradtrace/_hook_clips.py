"""_hook_clips.py - what was clipped between a backward pass and the step, and by how much."""

import math

import torch

MOST_TOLD = 16  # clips that meta tells of


class Clip:
    """One call.  numbers: the tensors that it was given, None for all that have a gradient."""

    def __init__(self, key, limit, norm_type, norm, numbers):
        self.key = key  # max_norm or clip_value
        self.limit = plain(limit)
        self.norm_type = plain(norm_type)
        self.numbers = numbers
        # The tensor by which torch found its factor; None: there is no one factor for all.
        self.norm = norm if key == "max_norm" and isinstance(norm, torch.Tensor) else None

    def about(self, name_of):
        """For meta.  Readers take max_grad_norm as a limit of 2-norms."""
        if self.key != "max_norm":
            known = {"clip_grad_value": self.limit}
        elif self.norm_type == 2.0:
            known = {"max_grad_norm": self.limit, "norm_type": 2.0}
        else:
            known = {"max_norm": self.limit, "norm_type": self.norm_type}
        if self.numbers:
            known["tensors"] = len(self.numbers)
            known["first"] = name_of(min(self.numbers))
        return known


class Clips:
    """Those of one part of a row, in their order."""

    def __init__(self):
        self._all = []

    def add(self, clip):
        self._all.append(clip)

    def limit(self):
        """Can any have changed a gradient?  Some are there to log a norm."""
        return any(isinstance(clip.limit, float) for clip in self._all)

    def about(self, name_of):
        """For meta, each once and not too many; not those that only log a norm beside others."""
        told = []
        for clip in [c for c in self._all if isinstance(c.limit, float)] or self._all:
            if len(told) < MOST_TOLD:
                known = clip.about(name_of)
                if known not in told:
                    told.append(known)
        return told

    def wait(self):
        """Is a norm known only once a GPU has it?"""
        return any(clip.norm is not None and clip.norm.is_cuda for clip in self._all)

    def scale(self, numbers):
        """By what the tensors were multiplied, in all; NaN if that is no one number."""
        scales = _scales(self._all)
        whole = math.prod(s for clip, s in zip(self._all, scales) if clip.numbers is None)
        if all(clip.numbers is None for clip in self._all):
            return whole
        factors = dict.fromkeys(numbers, whole)
        for clip, scale in zip(self._all, scales):
            for i in clip.numbers or ():
                factors[i] *= scale
        found = set(factors.values())
        return found.pop() if len(found) == 1 else math.nan


def _scales(clips):
    """What each multiplied by, in torch's own arithmetic, those of one kind together."""
    found, kinds = [math.nan] * len(clips), {}
    for k, clip in enumerate(clips):
        if clip.norm is not None:
            kinds.setdefault((float(clip.limit), clip.norm.dtype, clip.norm.device), []).append(k)
    for (limit, _, _), members in kinds.items():
        norms = torch.stack([clips[k].norm.reshape(()) for k in members]).cpu()
        scales = torch.clamp(limit / (norms + 1e-6), max=1.0).tolist()
        for k, scale in zip(members, scales):
            found[k] = scale
    return found


def plain(limit):
    """A number as JSON can have it."""
    try:
        limit = float(limit)
    except (TypeError, ValueError):
        return None
    return limit if math.isfinite(limit) else str(limit)
