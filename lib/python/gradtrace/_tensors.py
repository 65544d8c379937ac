"""_tensors.py - which tensors are recorded, of which types, and a gradient made readable."""

from ._library import Error

# Names of torch's types in a trace, and which of them hold every value of which others.
DTYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64"}
EXACT = {"f32": ("f16", "bf16"), "f64": ("f16", "bf16", "f32"), "f16": (), "bf16": ()}


def trainable(source):
    """The (name, parameter) pairs to record, names as a checkpoint has them."""
    if hasattr(source, "named_parameters"):
        wrapped = type(source).__name__ in ("DistributedDataParallel", "DataParallel")
        pairs = []
        for name, parameter in source.named_parameters():
            if wrapped and name.startswith("module."):
                name = name[len("module.") :]
            pairs.append((name.replace("_orig_mod.", ""), parameter))
    else:
        pairs = list(source.items() if hasattr(source, "items") else source)
    pairs = [(name, parameter) for name, parameter in pairs if parameter.requires_grad]
    if not pairs:
        raise ValueError("model_or_named_params: no parameter requires a gradient")
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"model_or_named_params: {twice!r} is there twice")
    for name, parameter in pairs:
        dtype_name(name, parameter)
    return pairs


def dtype_name(name, tensor):
    kind = str(tensor.dtype).replace("torch.", "")
    if kind not in DTYPES:
        raise TypeError(f"{name}: type {kind} is not supported; only {', '.join(DTYPES)}")
    return DTYPES[kind]


def readable(name, grad, declared, grad_scale):
    """The gradient where it is, contiguous, of the declared type, without the loss scale."""
    import torch

    grad = grad.detach()
    if grad.layout != torch.strided:
        grad = grad.to_dense()
    if grad_scale != 1.0:
        # As GradScaler.unscale_ does it: multiplied by the reciprocal rounded to single precision,
        # so that both ways record the same bits.
        wide = torch.float64 if grad.dtype == torch.float64 else torch.float32
        inverse = torch.tensor(1.0 / grad_scale, dtype=torch.float64).to(torch.float32)
        narrow = torch.float32 if grad.dtype == torch.float16 else grad.dtype
        grad = (grad.to(wide) * inverse.to(wide)).to(narrow)
    kind = dtype_name(name, grad)
    if kind != declared:
        if kind not in EXACT[declared]:
            raise Error(
                f"{name}: gradient is {kind}, but {declared} was recorded before; "
                "pass grad_scale from the first step on",
                "usage",
            )
        grad = grad.to({"f32": torch.float32, "f64": torch.float64}[declared])
    return grad.contiguous()
