"""recorder.py - the gradients of a PyTorch run into a trace file, one call a step.

In parts: _arguments.py checks what a Recorder is given, _handle.py holds the library's recorder
from opening to closing, _gradients.py hands over the gradients of a step, _micro_batches.py hears
those of single backward passes.  Here are the order of calls and what happens when one fails.
"""

import math
import os
import warnings

from ._arguments import Arguments, distributed, number
from ._gradients import Gradients
from ._handle import Handle, Wrong
from ._library import Error
from ._micro_batches import Ears, Numbers
from ._progress import Progress
from ._tensors import trainable


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
    accumulated over micro-batches are then recorded as the optimizer sees them.  To record each
    micro-batch's own gradient instead, for a look at its noise: ``rows="micro-batch:N"``.

    Mixed precision: gradients must not carry the loss scale.  Either call
    ``scaler.unscale_(optimizer)`` before ``step``, exactly as ``clip_grad_norm_`` needs it, or
    leave them scaled and pass ``step(loss, grad_scale=scaler.get_scale())``.

    Data parallel (DDP): after backward all ranks hold the same gradient, the mean over ranks.
    Record on rank 0 only, with ``reduction="mean"``.  Where ranks hold different gradients give
    each its own file: ``{rank}`` in the path becomes the rank, and a path that ends in .gtr is a
    folder for all of them.  Of a sharded parameter (DTensor: FSDP2, tensor parallelism) each rank
    records its own part, and no element is recorded by two; the norms of the whole are
    ``gradtrace merge --ranks sum``.

    Gradients on a GPU are reduced there, with one wait a step: in one launch by the library's
    kernels, or by torch's operations if it was built without CUDA, whose results are the same bits.
    Only elements that are kept are copied to the host.

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
        requires_grad at this moment are recorded, in this order; complex ones as pairs of reals.
        What wrappers add to the names is left out: DDP's ``module.``, torch.compile's
        ``_orig_mod.``, ``_fsdp_wrapped_module.``, ``_checkpoint_wrapped_module.``.
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
    spike_kappa, spike_scale, spike_policy
        Other than 3; scales below which a step is a spike, too (0: none): that which the run
        applied and, with a policy such as "aggc-paper" or "global:max_norm=1", those that it would
        have given to the groups of `group_by`.
    rows
        "step", or "micro-batch:N" where N backward passes make an optimizer step: then call
        ``step`` after each of them.  A row holds what that pass added to .grad, before any average
        over ranks; the rows of a step add up to its gradient.  Row m of step s has the number
        s * N + m, by which every, first and last go; total_steps stays a number of optimizer
        steps.  ``applied`` tells of the step's last row; the others have
        an unknown scale and are not skipped.  A step of fewer passes ends with ``applied``, or
        when ``step`` is given the next number.  Costs the memory of one more set of gradients.
        With a loss scale pass ``grad_scale``: what is heard is never unscaled.
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
        On stderr, how much it will be, then a line now and then; None: if that is a terminal, and
        on the first rank.
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
        spike_policy=None,
        rows="step",
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
            known = distributed()
            rank = known[0] if rank is None else rank
            world_size = known[1] if world_size is None else world_size
        given = dict(locals())
        self.path = os.fspath(path).replace("{rank}", str(rank))
        self.failed = None
        self.strict = strict
        self._optimizer = optimizer
        self._process = os.getpid()
        self._next_step = 0
        self._pending = False  # a step was recorded, so that applied() has an object
        self._remarks = []  # to be told when nothing can be harmed by it
        self._handle = None
        self._told_stopped = False  # that elements are written no more
        named = trainable(model_or_named_params)
        arguments = Arguments(given, named)  # told even if the library is missing
        self._gradients = Gradients(named, optimizer, elements, arguments.fields["seed"])
        self._progress = self._make_progress(progress, rank)
        self._numbers = Numbers(arguments.micro_batches) if arguments.micro_batches else None
        self._ears = self._make_ears()
        self._guard(lambda: self._open(arguments.fields))

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
        self._guard(lambda: self._step(loss, lr, step, grad_scale))
        while self._remarks:
            said = self._remarks.pop(0)
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
        if self._handle is None or not self._handle.alive or os.getpid() != self._process:
            return {}
        done = self._handle.progress()
        return {name: getattr(done, name) for name, _ in done._fields_}

    def close(self):
        """Completes the file.  Safe to call twice, and after a failure."""
        self._guard(self._finish, after="")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _make_progress(self, progress, rank):
        return Progress(progress, self.path, rank)

    def _make_ears(self):
        if self._numbers is None:
            return None
        ears = Ears()
        ears.listen_to(p for _, p in self._gradients.named)
        return ears

    # What follows may raise; _guard is what keeps that out of the training loop.

    def _guard(self, work, after="; recording stops here, training goes on"):
        if self.failed is not None or os.getpid() != self._process:
            return
        try:
            work()
        except Wrong:
            raise
        except Exception as error:  # whatever it is, the run is worth more than its trace
            self.failed = reason(error)
            self._give_up()
            if self.strict:
                if isinstance(error, Error):
                    raise
                raise Error(self._complaint(after)) from error
            warnings.warn(self._complaint(after), RuntimeWarning, stacklevel=3)

    def _complaint(self, after):
        about = "" if self.path in self.failed else f"{self.path}: "
        return f"gradtrace: {about}{self.failed}{after}"

    def _give_up(self):
        """Keeps the steps that are complete; the reason why is in self.failed already."""
        try:
            if self._handle is not None:
                self._handle.stop(self.failed)
            self._finish()
        except Exception:
            pass

    def _open(self, fields):
        self._handle = Handle(self.path, fields)

    def _finish(self):
        if self._ears is not None:
            self._ears.close()
        self._progress.end()
        if self._handle is None:
            return
        kept, failure = self._handle.close()
        rest = kept.rest.decode("utf-8", "replace")
        if rest and (failure is None or rest not in str(failure)):
            warnings.warn(f"gradtrace: {rest}", RuntimeWarning, stacklevel=4)
        if failure is not None:
            raise failure

    def _step(self, loss, lr, step, grad_scale):
        if self._handle is None or not self._handle.alive:
            raise Error("step() after close(); make a new Recorder", "usage")
        grad_scale = float(grad_scale)
        if not (0.0 < grad_scale < math.inf):
            raise Error(f"grad_scale={grad_scale:g}: must be a positive number", "usage")
        first = self._begin(grad_scale)
        step = self._number_of_row(step)
        if lr is None and self._optimizer is not None:
            lr = self._optimizer.param_groups[0]["lr"]
        parameters = [p for _, p in self._gradients.named]
        if self._ears is not None:
            grads = self._ears.take(parameters)
        else:
            grads = [p.grad for p in parameters]

        def begin():
            self._handle.call("gtr_recorder_begin", step, number(loss), number(lr))

        self._gradients.give(self._handle, step, grads, grad_scale, begin)
        self._handle.call("gtr_recorder_end")
        self._next_step = step + 1
        self._pending = True
        self._after_row(first)

    def _begin(self, grad_scale):
        """Declares the tensors before the first row; was this the time?"""
        if self._gradients.declared is not None:
            return False
        self._gradients.prepare(grad_scale)
        self._gradients.declare(self._handle)
        self._progress.announce(self._handle)
        return True

    def _number_of_row(self, step):
        if self._numbers is None:
            return self._next_step if step is None else int(step)
        if step is not None:
            self._numbers.begin(int(step))
        elif self._numbers.taken == self._numbers.n:
            self._numbers.stepped()
        return self._numbers.next()

    def _after_row(self, first):
        """What there is to tell after a row; what the library had to say is known at the first."""
        stopped = self._handle.elements_stopped() if self._gradients.keeps else ""
        if stopped and not self._told_stopped:
            self._told_stopped = True
            if self.strict:
                raise Error(stopped, "system")
            self._remarks.append(f"{stopped}; from here on norms only")
        self._remarks += [said for said in (
            self._handle.warning() if first else "", self._progress.step(self._handle)
        ) if said]

    def _applied(self, scale, skipped):
        if not self._pending:
            raise Error("applied() before step(); it tells what became of a step", "usage")
        self._handle.call("gtr_recorder_applied", number(scale), bool(skipped))
        self._pending = False
        if self._numbers is not None:
            self._numbers.stepped()


def reason(error):
    if isinstance(error, Error):
        return str(error)
    return f"{type(error).__name__}: {error}"
