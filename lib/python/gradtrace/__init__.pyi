"""Types of the public names; the docstrings are where the code is."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

__version__: str

_Path = str | os.PathLike[str]
_Policy = str | tuple[str, Mapping[str, str]]
_Floats = NDArray[np.float64]

class Error(RuntimeError):
    kind: Literal["usage", "system", "format", "memory", "device", "library"]
    def __init__(self, text: str, kind: str = "library") -> None: ...

class Recorder:
    path: str
    failed: str | None
    strict: bool
    def __init__(
        self,
        model_or_named_params: torch.nn.Module
        | Mapping[str, torch.Tensor]
        | Iterable[tuple[str, torch.Tensor]],
        path: _Path,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        elements: str = "none",
        every: int = 1,
        first: int | None = None,
        last: int | None = None,
        sample_seed: int = 0,
        spike_kappa: float = 3.0,
        spike_policy: str | None = None,
        spike_scale: float = 0.0,
        rows: str = "step",
        queue_mb: int = 256,
        when_full: Literal["block", "drop"] = "block",
        compression: Literal["deflate", "none"] = "deflate",
        segment_mb: int = 256,
        segment_seconds: float = 30.0,
        writer_threads: int = 0,
        progress: bool | None = None,
        total_steps: int = 0,
        grad_state: Literal["pre-clip", "post-clip", "unknown"] = "pre-clip",
        reduction: Literal["none", "sum", "mean"] = "none",
        meta: Mapping[str, Any] | None = None,
        group_by: str | None = None,
        force: bool = False,
        strict: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
        threads: int = 0,
    ) -> None: ...
    def step(
        self,
        loss: float | torch.Tensor | None = None,
        lr: float | None = None,
        step: int | None = None,
        grad_scale: float = 1.0,
    ) -> None: ...
    def applied(
        self, scale: float | torch.Tensor | None = None, skipped: bool = False
    ) -> None: ...
    def progress(self) -> dict[str, float]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Recorder: ...
    def __exit__(self, *_: object) -> None: ...

class TrainerCallback:
    def __init__(self, path: _Path, **options: Any) -> None: ...

class Table(list[dict[str, Any]]):
    @property
    def columns(self) -> list[str]: ...
    def frame(self) -> pd.DataFrame: ...

class Report(dict[str, Any]):
    def __getattr__(self, name: str) -> Any: ...

class Picture:
    data: bytes
    format: Literal["png", "svg"]
    def __init__(self, data: bytes, format: str) -> None: ...
    def save(self, path: _Path) -> None: ...

class Replay:
    scale: _Floats
    lower: _Floats
    upper: _Floats
    capped: NDArray[np.bool_]
    empty: NDArray[np.bool_]
    skipped: NDArray[np.bool_]
    policy: str
    groups: list[str]
    steps: NDArray[np.int64]
    @property
    def stats(self) -> Table: ...
    def frame(self) -> pd.DataFrame: ...

class Trace:
    path: str
    total_steps: int
    meta: Report
    grad_state: str
    reduction: str
    rank: int
    world_size: int
    names: list[str]
    shapes: list[tuple[int, ...]]
    dtypes: list[str]
    numel: NDArray[np.int64]
    steps: NDArray[np.int64]
    loss: _Floats
    lr: _Floats
    time: _Floats
    applied_scale: _Floats
    skipped: NDArray[np.bool_]
    def __init__(self, path: _Path) -> None: ...
    @property
    def sumsq(self) -> _Floats: ...
    @property
    def maxabs(self) -> NDArray[np.float32]: ...
    @property
    def nonfinite(self) -> NDArray[np.uint64]: ...
    @property
    def weight_sumsq(self) -> _Floats: ...
    @property
    def norm(self) -> _Floats: ...
    @property
    def captured_steps(self) -> NDArray[np.int64]: ...
    def groups(self, group_by: str | None = None) -> dict[str, list[str]]: ...
    def norms(self, group_by: str | None = None) -> _Floats: ...
    def frame(self, group_by: str | None = None) -> pd.DataFrame: ...
    def elements(self, tensor: str | int) -> NDArray[np.floating[Any]]: ...
    def element_index(self, tensor: str | int) -> NDArray[np.int64]: ...
    def ask(self, command: str, *policies: _Policy, **options: Any) -> Table | Report: ...
    def replay(
        self,
        policy: str,
        group_by: str | None = None,
        nonfinite: Literal["skip", "propagate"] = "skip",
        total_steps: int | None = None,
    ) -> Replay: ...
    def sweep(self, *policies: _Policy, **options: Any) -> Table: ...
    def spill(self, *policies: _Policy, **options: Any) -> Report: ...
    def doctor(self, *policies: _Policy, **options: Any) -> Report: ...
    def explain(self, *policies: _Policy, step: int, **options: Any) -> Report: ...
    def plot(
        self,
        figure: str,
        *policies: _Policy,
        format: Literal["png", "svg"] = "png",
        **options: Any,
    ) -> Picture: ...
    def report(self, path: _Path, *policies: _Policy, **options: Any) -> None: ...

def open(path: _Path) -> Trace: ...
def norms(
    values: Any,
    names: Sequence[str] | None = None,
    steps: Sequence[int] | None = None,
    loss: Sequence[float] | None = None,
    lr: Sequence[float] | None = None,
    path: _Path | None = None,
    **options: Any,
) -> Trace: ...
