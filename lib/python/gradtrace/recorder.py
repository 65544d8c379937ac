"""recorder.py - the gradients of a PyTorch run into a trace file, one call a step."""

import json
import math
import os
import shlex
import sys
import warnings
import weakref
from ctypes import byref, c_void_p

from . import _elements, _library
from ._gpu_norms import GpuNorms
from ._library import Error
from ._optimizer import group_names, settings_of
from ._progress import Progress, read
from ._tensors import DTYPES, dtype_name
from ._tensors import readable as _readable
from ._tensors import trainable as _trainable

GRAD_STATES = ("pre-clip", "post-clip", "unknown")
REDUCTIONS = ("none", "sum", "mean")

class Recorder:
    """Records the gradient of every trainable parameter, step by step, into one HDF5 file.

    ::

        recorder = gradtrace.Recorder(model, "run.h5", optimizer=optimizer, total_steps=10000)
        for batch in batches:
            loss = model(batch)
            loss.backward()
            recorder.step(loss)                    # after backward, before clipping
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            recorder.applied(min(1.0, 1.0 / (float(norm) + 1e-6)))      # optional
            optimizer.step()
            optimizer.zero_grad()
        recorder.close()

    Also a context manager: ``with gradtrace.Recorder(...) as recorder:``.  The file appears under
    its name when the recorder is closed, which also happens when the interpreter ends.

    Call ``step`` once for each optimizer step, not for each backward: gradients that were
    accumulated over micro-batches are then recorded as the optimizer sees them.

    Mixed precision: gradients must not carry the loss scale.  Either call
    ``scaler.unscale_(optimizer)`` before ``step``, exactly as ``clip_grad_norm_`` needs it, or
    leave them scaled and pass ``step(loss, grad_scale=scaler.get_scale())``.

    Data parallel (DDP): after backward all ranks hold the same gradient, the mean over ranks.
    Record on rank 0 only, with ``reduction="mean"``.  Where ranks hold different gradients give
    each its own file: ``{rank}`` in the path becomes the rank.  Sharded parameters (DTensor) are
    refused: their local parts are not their gradient.

    Gradients on a GPU are reduced there, all in one launch a step, if the library was built with
    CUDA; they are copied to the host only at steps that keep elements, or if it was not.  The
    numbers recorded are the same bits either way.

    Recording never changes the training: gradients are only read, no random number is drawn, and
    nothing is raised into the loop.  The first failure (disk full, folder not writable, file
    exists, library missing) gives one warning that names the file and the reason; then the
    recorder is off, ``failed`` holds the reason, and what was recorded until then is kept if the
    disk lets it.  With ``strict=True`` the failure is raised instead, as gradtrace.Error.
    A forked child process (a DataLoader worker) never touches its parent's recorder.

    Parameters
    ----------
    model_or_named_params
        A torch.nn.Module, or pairs (name, parameter), or a dict of them.  Only parameters with
        requires_grad at this moment are recorded, in this order.  DDP's ``module.`` and
        torch.compile's ``_orig_mod.`` are left out of the names.
    path
        The trace file; conventionally ends in .h5.  One that ends in .gtr becomes a folder.
    optimizer
        Where the learning rate is read from, and the settings that go into the trace; its
        parameter groups are what ``--group-by param-group`` means ("name" of the group, or group0,
        group1, ...).
    elements
        "none": norms only, 20 bytes a tensor and step.  "full": also every element of every
        gradient, at every `every`-th step of the window first <= step <= last.  "blocks:1/64" or
        "blocks:0.02": of every tensor that fraction of its blocks of 1024 elements, at least one,
        the same at each of these steps.  "around-spikes:16" or "blocks:1/64,around-spikes:16":
        of these steps only the 16 before a spike, the spike and the 16 after it.  A spike is a
        global norm above 3 times the average of those before it, or a value that is not finite;
        the 16 steps wait in memory, with their norms.
    every, first, last
        The window for elements, in the run's own step numbers; without it, all steps.
    sample_seed
        Another number, other blocks.
    spike_kappa, spike_scale
        Other than 3; and applied scales below which a step is a spike, too (0: none).
    queue_mb
        Most memory, in MiB, for elements that wait for the thread that writes them.
    when_full
        "block": the training waits for room there; "drop": the elements of a step for which there
        is none are left out and counted, its norms never are.
    compression
        Of elements: "deflate", or "none" where the disk is fast and large.
    segment_mb, segment_seconds
        Of a path that ends in .gtr, which is a folder of segments: a segment is closed when it has
        so many MiB, or elements so old.  Norms of each step survive the end of the process.
    writer_threads
        That deflate elements; 0: half the processors, at most 4.
    progress
        A line on stderr now and then; None: if that is a terminal.
    total_steps
        Planned length of the run in optimizer steps, for policies with a schedule; 0: unknown.
    grad_state
        "pre-clip" (default), "post-clip" or "unknown": what the gradients are when ``step`` is
        called.
    reduction
        "none" (default), "sum" or "mean": what was done over ranks.
    meta
        A dict of anything JSON can hold, e.g. {"max_grad_norm": 1.0, "model": "gpt2"}.  Added to
        it unless given: command, torch, dtype, optimizer {class, lr, betas, eps, weight_decay}.
    group_by
        The rule that fits this model when its tensors are grouped; None: the tool's default.
    force
        Replace an existing file.
    strict
        Raise gradtrace.Error instead of warning and turning off.
    rank, world_size
        Default: torch.distributed's if it is initialised, else 0 and 1.
    threads
        For the sums; 0: all processors.

    Raises ValueError or TypeError for an argument that is wrong, at once and whatever `strict`.
    """

    def __init__(
        self,
        model_or_named_params,
        path,
        *,
        optimizer=None,
        elements="none",
        every=1,
        first=None,
        last=None,
        sample_seed=0,
        spike_kappa=3.0,
        spike_scale=0.0,
        queue_mb=256,
        when_full="block",
        compression="deflate",
        segment_mb=256,
        segment_seconds=30.0,
        writer_threads=0,
        progress=None,
        total_steps=0,
        grad_state="pre-clip",
        reduction="none",
        meta=None,
        group_by=None,
        force=False,
        strict=False,
        rank=None,
        world_size=None,
        threads=0,
    ):
        if rank is None or world_size is None:
            known = _distributed()
            rank = known[0] if rank is None else rank
            world_size = known[1] if world_size is None else world_size
        self.path = os.fspath(path).replace("{rank}", str(rank))
        self.failed = None
        self.strict = strict
        self._optimizer = optimizer
        self._process = os.getpid()
        self._next_step = 0
        self._pending = False  # a step was recorded, so that applied() has an object
        self._declared = None  # dtype of each tensor in the trace, from the first step on
        self._close = None
        self._named = _trainable(model_or_named_params)
        elements, fraction, around = _elements.parse(elements)
        _one_of("when_full", when_full, tuple(_library.WHEN_FULL))
        _one_of("compression", compression, tuple(_library.COMPRESSION))
        self._progress = Progress(progress, self.path)
        _one_of("grad_state", grad_state, GRAD_STATES)
        _one_of("reduction", reduction, REDUCTIONS)
        every = _integer("every", every, 1)
        total_steps = _integer("total_steps", total_steps, 0)
        meta = _meta_text(meta, self._named, optimizer)

        def fill(options):
            options.grad_state = grad_state.encode()
            options.reduction = reduction.encode()
            options.meta = meta.encode()
            options.group_by = _library.text_or_null(group_by)
            # The convention of reproducible-builds.org: no time of day in the file.
            options.created = b"" if "SOURCE_DATE_EPOCH" in os.environ else None
            options.elements = _library.ELEMENTS[elements]
            options.fraction = fraction
            options.seed = _integer("sample_seed", sample_seed)
            options.around_spikes = around
            options.spike_kappa, options.spike_scale = float(spike_kappa), float(spike_scale)
            options.queue_bytes = _integer("queue_mb", queue_mb, 1) << 20
            options.when_full = _library.WHEN_FULL[when_full]
            options.compression = _library.COMPRESSION[compression]
            options.segment_bytes = _integer("segment_mb", segment_mb, 1) << 20
            options.segment_seconds = float(segment_seconds)
            options.writer_threads = _integer("writer_threads", writer_threads, 0)
            options.every = every
            options.total_steps = total_steps
            options.first = options.first if first is None else _integer("first", first)
            options.last = options.last if last is None else _integer("last", last)
            options.rank = _integer("rank", rank, 0)
            options.world_size = _integer("world_size", world_size, 1)
            options.n_threads = _integer("threads", threads, 0)
            options.force = int(bool(force))

        fill(_library.RecordOptions())  # a wrong argument is told even if the library is missing
        self._guard(lambda: self._open(fill))

    def step(self, loss=None, lr=None, step=None, grad_scale=1.0):
        """Records the gradients as they are now.  After backward, before clipping.

        loss: number or tensor of one element, as the run reports it; None: unknown.
        lr: the learning rate of this step; None: the optimizer's first group, if there is one.
        step: the run's own number of this optimizer step, growing; None: one more than the last,
            starting at 0.
        grad_scale: the loss scale still in the gradients (scaler.get_scale()); they are recorded
            divided by it, as GradScaler.unscale_ does, and stay as they are in the run.

        A parameter whose .grad is None has no gradient in this step.
        """
        first = self._declared is None
        self._guard(lambda: self._step(loss, lr, step, grad_scale))
        if first and self.failed is None and self._handle is not None:
            said = _library.load().gtr_recorder_warning(self._handle).decode("utf-8", "replace")
            if said:
                warnings.warn(f"gradtrace: {said}", RuntimeWarning, stacklevel=2)

    def applied(self, scale=None, skipped=False):
        """Tells what the run then did with the step just recorded: after clipping, at any time
        before the next ``step``.

        scale: the factor that all gradients were multiplied by (1: untouched); None: unknown.
        skipped: True if the optimizer step was left out, as AMP does at infinite gradients.
        """
        self._guard(lambda: self._applied(scale, skipped))

    def progress(self):
        """How far the recording is, as a dict: steps, steps_written, captures_written, dropped,
        spikes, bytes_written (before compression), bytes_queued, memory_bytes, seconds_waited.
        """
        if self._close is None or not self._close.alive or os.getpid() != self._process:
            return {}
        done = read(self._handle)
        return {name: getattr(done, name) for name, _ in done._fields_}

    def close(self):
        """Completes the file.  Safe to call twice, and after a failure."""
        self._guard(self._finish)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What follows may raise; _guard is what keeps that out of the training loop.

    def _guard(self, work):
        if self.failed is not None or os.getpid() != self._process:
            return
        try:
            work()
        except _Wrong:
            raise
        except Exception as error:  # whatever it is, the run is worth more than its trace
            self.failed = _reason(error)
            self._give_up()
            if self.strict:
                if isinstance(error, Error):
                    raise
                raise Error(self._complaint()) from error
            warnings.warn(self._complaint(), RuntimeWarning, stacklevel=3)

    def _complaint(self):
        about = "" if self.path in self.failed else f"{self.path}: "
        return f"gradtrace: {about}{self.failed}; recording stops here, training goes on"

    def _give_up(self):
        """Keeps the steps that are complete; the reason why is in self.failed already."""
        try:
            self._finish()
        except Exception:
            pass

    def _open(self, fill):
        library = _library.load()
        options = _library.RecordOptions()
        library.gtr_record_options_init(byref(options))
        fill(options)
        self._options = options
        handle = c_void_p()
        try:
            _library.call(
                "gtr_recorder_open", os.fsencode(self.path), byref(options), byref(handle)
            )
        except Error as error:
            if error.kind == "usage":
                raise _Wrong(str(error)) from None
            raise
        self._handle = handle
        # Runs once: from close(), or when the recorder is collected, or as the interpreter ends.
        self._close = weakref.finalize(self, _close, handle, self.path, self._process)

    def _finish(self):
        if self._close is None or not self._close.alive:
            return
        self._close.detach()
        handle, self._handle = self._handle, None
        self._progress.end()
        _library.call("gtr_recorder_close", handle)

    def _step(self, loss, lr, step, grad_scale):
        if self._close is None or not self._close.alive:
            raise Error("step() after close(); make a new Recorder", "usage")
        grad_scale = float(grad_scale)
        if not (0.0 < grad_scale < math.inf):
            raise Error(f"grad_scale={grad_scale:g}: must be a positive number", "usage")
        step = self._next_step if step is None else int(step)
        if lr is None and self._optimizer is not None:
            lr = self._optimizer.param_groups[0]["lr"]
        if self._declared is None:
            self._declared = self._declare(grad_scale)
            self._gpu_norms = GpuNorms(self._named, self._declared)
        grads = [p.grad if p.numel() > 0 else None for _, p in self._named]

        def readable(i):
            return _readable(self._named[i][0], grads[i], self._declared[i], grad_scale)

        # Before the loss is read, because that waits for the GPU.
        on_gpu = set() if self._keeps_elements(step) else self._gpu_norms.start(grads, readable)
        _library.call("gtr_recorder_begin", self._handle, step, _number(loss), _number(lr))
        self._give(grads, on_gpu, readable, grad_scale == 1.0)
        for i, sums in self._gpu_norms.wait():
            values = sums.sumsq, sums.maxabs, sums.nonfinite
            _library.call("gtr_recorder_norm", self._handle, i, *values)
        _library.call("gtr_recorder_end", self._handle)
        self._next_step = step + 1
        self._pending = True
        self._progress.step(self._handle)

    def _give(self, grads, on_gpu, readable, unscaled):
        """The gradients to the library: in one call those that can be read as they lie."""
        from torch import Tensor, strided

        pointers, others = self._pointers, []
        for i, grad in enumerate(grads):
            pointers[i] = None
            if grad is None or i in on_gpu:
                continue
            if (
                unscaled
                and type(grad) is Tensor
                and grad.dtype is self._types[i]
                and grad.is_cpu
                and grad.layout is strided
                and grad.is_contiguous()
            ):
                pointers[i] = grad.data_ptr()
            else:
                others.append(i)
        _library.call("gtr_recorder_grads", self._handle, pointers)
        for i in others:  # one at a time: each may be a copy
            grad = readable(i).cpu()
            _library.call("gtr_recorder_grad", self._handle, i, grad.data_ptr())

    def _keeps_elements(self, step):
        """As the library has it: at such a step it wants elements and refuses norms."""
        kept = self._options
        return (
            kept.elements != _library.ELEMENTS["none"]
            and kept.first <= step <= kept.last
            and (step - kept.first) % kept.every == 0
        )

    def _declare(self, grad_scale):
        """Tells the library about each tensor, at the first step; returns their types."""
        types = []
        groups = group_names(self._optimizer) if self._optimizer is not None else {}
        for name, parameter in self._named:
            kind = dtype_name(name, parameter)
            if kind == "f16" and grad_scale != 1.0:
                kind = "f32"  # divided by the loss scale they would underflow in half precision
            shape = "x".join(str(n) for n in parameter.shape)
            _library.call(
                "gtr_recorder_tensor",
                self._handle,
                name.encode("utf-8"),
                shape.encode(),
                parameter.numel(),
                _library.DTYPES[kind],
            )
            if id(parameter) in groups:
                group = groups[id(parameter)].encode("utf-8")
                _library.call("gtr_recorder_param_group", self._handle, group)
            types.append(kind)
        wide = {kind: getattr(sys.modules["torch"], name) for name, kind in DTYPES.items()}
        self._types = [wide[kind] for kind in types]
        self._pointers = (c_void_p * len(types))()
        self._progress.announce(self._handle)
        return types

    def _applied(self, scale, skipped):
        if not self._pending:
            raise Error("applied() before step(); it tells what became of a step", "usage")
        _library.call("gtr_recorder_applied", self._handle, _number(scale), bool(skipped))
        self._pending = False


class _Wrong(ValueError):
    """An argument of the constructor that the library refused."""


def _close(handle, path, process):
    """The recorder was dropped without close(): complete its file."""
    if os.getpid() != process:
        return
    try:
        _library.call("gtr_recorder_close", handle)
    except Error as error:
        warnings.warn(f"gradtrace: {path}: {_reason(error)}", RuntimeWarning, stacklevel=2)


def _reason(error):
    if isinstance(error, Error):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _one_of(name, value, words):
    if value not in words:
        raise ValueError(f"{name}={value!r}: must be one of {', '.join(words)}")


def _integer(name, value, least=None):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}={value!r}: must be an integer")
    value = value.__index__()
    if least is not None and value < least:
        raise ValueError(f"{name}={value}: must be at least {least}")
    return value


def _number(value):
    """A float, a tensor of one element, or None for what is not known."""
    if hasattr(value, "detach"):
        value = value.detach()  # torch 2 warns when a loss that requires a gradient becomes a float
    return math.nan if value is None else float(value)


def _distributed():
    """(rank, world size) of torch.distributed, or of a process alone."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _meta_text(meta, named, optimizer):
    """The JSON object for the trace: what the caller gave, and what can be seen from here."""
    known = {"command": " ".join(shlex.quote(word) for word in sys.argv)}
    if "torch" in sys.modules:
        known["torch"] = str(sys.modules["torch"].__version__)
    types = sorted({dtype_name(name, parameter) for name, parameter in named})
    known["dtype"] = types[0] if len(types) == 1 else types
    if optimizer is not None:
        known["optimizer"] = settings_of(optimizer)
    known.update(meta or {})
    try:
        return json.dumps(known, ensure_ascii=False, allow_nan=False, default=str)
    except (TypeError, ValueError) as error:
        raise ValueError(f"meta: not JSON: {error}") from error
