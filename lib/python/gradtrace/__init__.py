"""gradtrace - record the gradients of a training run once, ask every clipping question offline.

In a PyTorch training loop::

    import gradtrace

    with gradtrace.Recorder(model, "run.h5", optimizer=optimizer) as recorder:
        for batch in batches:
            loss = model(batch)
            loss.backward()
            recorder.step(loss)          # after backward, before clipping; once a step
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

With a Hugging Face Trainer::

    Trainer(..., callbacks=[gradtrace.TrainerCallback("run.h5")])

Then, at the shell::

    gradtrace info run.h5
    gradtrace replay run.h5 -p global:max_norm=1 -p aggc-code-lora

or in Python, which needs NumPy and not torch::

    t = gradtrace.open("run.h5")
    t.norms(group_by="module")                      # float64 [T][G]
    t.replay("aggc-code-lora").scale                # the same shape
    t.sweep(("global", {"max_norm": "0.1,0.3,1"}))  # a row for each setting
    t.plot("norms")                                 # a picture, in a notebook at once

What a trace holds, per step t and parameter tensor i (float64 unless said otherwise; traces are
HDF5 files that h5py reads, laid out as traces/FORMAT.md says):

    /norm/sumsq [T][P]      sum of squares of the gradient's finite elements; its root is the norm
    /norm/maxabs [T][P]     float32: the largest magnitude among them
    /norm/nonfinite [T][P]  uint64: how many elements were NaN or infinite
    /step/index, loss, lr, time, applied_scale, skipped [T]
    /grad/<i> [S][m]        elements, if asked for: elements="full" or "blocks:1/64"

Gradients are recorded in the units of the loss per unit of the parameter, without the loss scale
of mixed precision.  A tensor without a gradient in a step has norm 0 there.

Names
-----
Recorder         the recorder: its docstring is the manual of recording
TrainerCallback  the same, driven by transformers.Trainer
open             a trace to read and to ask: a Trace, whose docstring tells what can be asked
norms            a Trace of norms that you have as arrays
Replay           what a policy would have done, from Trace.replay
Error            what the library could not do; raised only with strict=True
__version__      of this package and of the library it belongs to

The C library is looked for beside the package, in the source tree's build folder and where
`make install` puts it; the environment variable GRADTRACE_LIBRARY overrides all of that.
"""

from ._library import Error
from ._made import norms
from ._replayed import Replay
from ._trace import Trace
from .recorder import Recorder

__version__ = "0.1.0"

__all__ = [
    "Error", "Recorder", "Replay", "Trace", "TrainerCallback", "__version__", "norms", "open"
]


def open(path):  # pylint: disable=redefined-builtin
    """Open a trace: a file, a folder NAME.gtr, or FOLDER/rankN.  Returns a Trace.

    Raises Error, which names the file and what is wrong with it.
    """
    return Trace(path)


def __getattr__(name):
    """TrainerCallback, imported when asked for: transformers takes seconds to load."""
    if name == "TrainerCallback":
        from .hugging_face import TrainerCallback

        return TrainerCallback
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
