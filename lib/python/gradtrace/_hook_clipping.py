"""_hook_clipping.py - torch's functions that clip: gradients are complete, and about to change.

They are looked for where they are public, torch.nn.utils, and replaced in each module that has
imported them: some versions keep them elsewhere under other names.  They call each other, and only
the outermost call counts.
"""

import functools

import torch

from ._hook_clips import Clip
from ._hook_replace import replace_everywhere
from ._sharded import replicated

# Each with its arguments beside the parameters: torch 2.6 has the one that is given a norm.
_CLIP = {
    "clip_grad_norm_": ("max_norm", "norm_type"),
    "clip_grads_with_norm_": ("max_norm", "total_norm"),
    "clip_grad_value_": ("clip_value",),
}
_NORM = "get_total_norm"  # which comes with the second one
_NO_CLIP = ("clip_grad", "clip_grad_norm")  # a module, and an old name that calls the new one


class Clipping:
    def __init__(self, session, scalers):
        self._session = session
        self._heres = session.heres
        self._scalers = scalers
        for name in ("_before", "_after", "_normed"):
            setattr(self, name, session.guarded(getattr(self, name)))

    def listen(self):
        public = torch.nn.utils
        has_norm = replace_everywhere(public, _NORM, self._norm)
        for name, words in _CLIP.items():
            there = replace_everywhere(public, name, functools.partial(self._clip, words))
            if not there and (has_norm or "total_norm" not in words):
                self._tell_unheard(name)
        for name in dir(public):
            if name.startswith("clip_grad") and name not in (*_CLIP, *_NO_CLIP):
                self._tell_unheard(name)

    def _tell_unheard(self, name):
        self._session.talk.warn(
            f"torch {torch.__version__}: torch.nn.utils.{name} is not listened to; gradients that "
            "it clips are recorded as it leaves them"
        )

    def _norm(self, original):
        def get_total_norm(*arguments, **named):
            self._normed(named.get("norm_type", arguments[1] if len(arguments) > 1 else 2.0))
            return original(*arguments, **named)

        return get_total_norm

    def _normed(self, norm_type):
        self._heres.find().norm_type = norm_type

    def _clip(self, words, original):
        def clip(parameters, *arguments, **named):
            if not isinstance(parameters, (torch.Tensor, list, tuple)):
                parameters = list(parameters)  # a generator can be read only once
            given = {**dict(zip(words, arguments)), **named}
            seen = self._before(parameters, words, given)
            norm = None
            try:
                norm = original(parameters, *arguments, **named)
            finally:
                self._after(seen, parameters, given.get("total_norm", norm))
            return norm

        return clip

    def _before(self, parameters, words, given):
        """[(what is recorded of the call so far, for each part of a row)]; None inside another."""
        here = self._heres.find()
        if here.clipping:
            return None
        here.clipping = True
        self._session.n_clips += 1
        parameters = [parameters] if isinstance(parameters, torch.Tensor) else parameters
        norm_type = here.norm_type if "total_norm" in words else given.get("norm_type", 2.0)
        here.clip = words[0], given.get(words[0]), norm_type
        seen = []
        for optimizer in self._session.owners(parameters):
            scale = self._scalers.in_gradients(optimizer)
            part = self._session.observe(optimizer, scale, parameters)
            if part is not None and all(part is not other for _, other in seen):
                seen.append((self._session.trace_of(optimizer), part))
        return seen

    def _after(self, seen, parameters, norm):
        if seen is None:
            return
        here = self._heres.find()
        here.clipping = False
        parameters = [parameters] if isinstance(parameters, torch.Tensor) else parameters
        here.watch.look_again(parameters)
        norm = replicated(norm)
        if isinstance(norm, torch.Tensor):
            norm = norm.detach()
        elif isinstance(norm, float):
            norm = torch.tensor(norm)
        for trace, part in seen:
            if not part.settled:
                numbers = {trace.tensors.number_of(p) for p in parameters} & part.numbers
                whole = len(numbers) == len(part.numbers)
                part.clips.add(Clip(*here.clip, norm, None if whole else numbers))
