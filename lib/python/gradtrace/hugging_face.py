"""hugging_face.py - a Recorder driven by transformers.Trainer."""

import warnings

from .recorder import Recorder

try:
    from transformers import TrainerCallback as _Base
except ImportError:

    class _Base:
        """Stands in where transformers is not installed, e.g. for a Trainer of one's own."""

        on_pre_optimizer_step = None


_TOO_OLD = not hasattr(_Base, "on_pre_optimizer_step")


class TrainerCallback(_Base):
    """Records a Hugging Face Trainer's gradients: ``Trainer(..., callbacks=[callback])``.

    ::

        callback = gradtrace.TrainerCallback("run.h5")
        Trainer(model, args, callbacks=[callback], ...).train()

    Needs transformers 4.45 or later: the only hook that sees gradients, on_pre_optimizer_step, is
    that old.  It runs *after* the Trainer has clipped them.  So with max_grad_norm > 0 (the
    Trainer's default is 1.0) the norms recorded are already clipped: the trace says grad_state
    "post-clip", and one warning says so.  To record what clipping would get to see, set
    max_grad_norm=0 in TrainingArguments; to record it while the Trainer clips, call Recorder.step
    yourself before the clipping.

    What is recorded at each optimizer step: state.global_step as its number (the first is 0), the
    learning rate of the optimizer, and the loss that the Trainer logged last: an average over the
    `logging_steps` steps *before* this one, or nothing before the first log.  With fp16 a loss
    scale that is still in the gradients is divided out, and skipped steps are marked.  Where an
    element is infinite, clipping turns the finite ones into 0; transformers 5 turns them all into
    NaN, even with max_grad_norm=0: it clips to infinity then, to log the norm.

    Takes the keyword arguments of Recorder, except optimizer.  total_steps, meta and grad_state
    are filled in from the Trainer's own arguments unless given.  In data-parallel training the
    gradients are the same on all ranks: only the first writes, and says reduction "mean".
    """

    def __init__(self, path, **options):
        super().__init__()
        if "optimizer" in options:
            raise TypeError("optimizer: comes from the Trainer")
        if options.get("rows", "step") != "step":
            raise ValueError(
                f"rows={options['rows']!r}: the Trainer calls back once a step; must be step here, "
                "and `gradtrace record --rows` sees each backward pass"
            )
        self._path = path
        self._options = options
        self._clipped = False
        self._scale = 1.0
        self._told = False
        self.recorder = None

    def on_train_begin(self, args, state, control, **kwargs):
        """Called by the Trainer before the first step: the time to say that it is too old."""
        if _TOO_OLD:
            self._tell_that_nothing_is_recorded(state)

    def on_pre_optimizer_step(
        self, args, state, control, model=None, optimizer=None, lr_scheduler=None, **kwargs
    ):
        """Called by the Trainer between clipping and the optimizer's step."""
        if not getattr(state, "is_world_process_zero", True):
            return
        if self.recorder is None:
            self._start(args, state, model, optimizer)
        self._scale = _scale(optimizer)
        self.recorder.step(
            loss=_last_loss(state),
            lr=_learning_rate(optimizer, lr_scheduler),
            step=state.global_step,
            grad_scale=1.0 if self._clipped or _unscaled(optimizer) else self._scale,
        )

    def on_optimizer_step(self, args, state, control, optimizer=None, **kwargs):
        """Called by the Trainer after the optimizer's step, which fp16 leaves out on overflow.

        The scaler then lowers its scale.  accelerate's step_was_skipped misses fused optimizers,
        which are called all the same and skip by themselves.
        """
        if self.recorder is not None and _scale(optimizer) < self._scale:
            self.recorder.applied(skipped=True)

    def on_train_end(self, args, state, control, **kwargs):
        """Called by the Trainer at the end of train(): completes the file."""
        if self.recorder is not None:
            self.recorder.close()
        elif state.global_step > 0:
            self._tell_that_nothing_is_recorded(state)

    def _tell_that_nothing_is_recorded(self, state):
        if self._told or not getattr(state, "is_world_process_zero", True):
            return
        self._told = True
        warnings.warn(
            f"gradtrace: {self._path}: nothing recorded: this Trainer does not call "
            "on_pre_optimizer_step; transformers 4.45 or later does",
            RuntimeWarning,
            stacklevel=3,
        )

    def _start(self, args, state, model, optimizer):
        limit = getattr(args, "max_grad_norm", None)
        self._clipped = limit is not None and limit > 0
        options = dict(self._options)
        options.setdefault("grad_state", "post-clip" if self._clipped else "pre-clip")
        options.setdefault("total_steps", max(0, int(getattr(state, "max_steps", 0))))
        if getattr(args, "world_size", 1) > 1:
            options.setdefault("reduction", "mean")
        options["meta"] = {**_settings(args, model), **(options.get("meta") or {})}
        if options["grad_state"] == "post-clip":
            warnings.warn(
                f"gradtrace: {self._path}: the norms recorded are already clipped to {limit:g}: "
                "the Trainer clips before it calls on_pre_optimizer_step; set max_grad_norm=0 in "
                "TrainingArguments, or call Recorder.step yourself, to record them before clipping",
                UserWarning,
                stacklevel=3,
            )
        self.recorder = Recorder(model, self._path, optimizer=optimizer, **options)


def _last_loss(state):
    """The training loss that the Trainer logged last, or None."""
    for entry in reversed(getattr(state, "log_history", None) or []):
        if "loss" in entry:
            return entry["loss"]
    return None


def _learning_rate(optimizer, lr_scheduler):
    if optimizer is not None:
        return optimizer.param_groups[0]["lr"]
    if lr_scheduler is not None:
        return lr_scheduler.get_last_lr()[0]
    return None


def _scale(optimizer):
    """What accelerate's fp16 scaler multiplies the loss by."""
    scaler = getattr(optimizer, "scaler", None)
    return 1.0 if scaler is None else scaler.get_scale()


def _unscaled(optimizer):
    """Whether the gradients have been divided by that scale already.

    Clipping does so, and transformers 5 without clipping too, to log the norm; else it happens
    inside optimizer.step().  Only the scaler's own notes tell.
    """
    notes = getattr(getattr(optimizer, "scaler", None), "_per_optimizer_states", {})
    note = notes.get(id(getattr(optimizer, "optimizer", optimizer)), {})
    return getattr(note.get("stage"), "name", None) == "UNSCALED"


def _settings(args, model):
    """The arguments of the Trainer that decide what the gradients look like."""
    names = (
        "learning_rate",
        "max_grad_norm",
        "per_device_train_batch_size",
        "gradient_accumulation_steps",
        "lr_scheduler_type",
        "warmup_steps",
        "warmup_ratio",
        "weight_decay",
        "optim",
        "seed",
        "fp16",
        "bf16",
        "logging_steps",
    )
    known = {name: _plain(getattr(args, name)) for name in names if hasattr(args, name)}
    name = getattr(getattr(model, "config", None), "_name_or_path", None)
    return {"model": name or type(model).__name__, "trainer": known}


def _plain(value):
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)
