"""_tensors.py - which tensors are recorded, of which types, and a gradient made readable."""

from ._library import Error

# Names of torch's types in a trace, and which of them hold every value of which others.
DTYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64"}
COMPLEX = {"complex32": "f16", "complex64": "f32", "complex128": "f64"}  # as pairs of reals
EXACT = {"f32": ("f16", "bf16"), "f64": ("f16", "bf16", "f32"), "f16": (), "bf16": ()}


# What wrappers call the module that they wrap.  Data parallelism is known by its class: a model may
# have a part of its own that is called "module".
_WRAPPED = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
_PARALLEL = ("DistributedDataParallel", "DataParallel")


def wraps(module):
    """Is it there only to run another one in parallel?"""
    return type(module).__name__ in _PARALLEL


def unwrapped(module):
    """The model inside of wrappers."""
    children = _children(module)
    for word in (*_WRAPPED, *(["module"] if wraps(module) else [])):
        if word in children:
            return unwrapped(children[word])
    return module


def plain_name(module, name):
    """What a checkpoint without wrappers calls a parameter of a module, or of one inside."""
    words = []
    for word in name.split("."):
        if word not in _WRAPPED and not (word == "module" and wraps(module)):
            words.append(word)
        module = _children(module).get(word)
    return ".".join(words)


def _children(module):
    return getattr(module, "__dict__", {}).get("_modules") or {}


def trainable(source):
    """The (name, parameter) pairs to record, names as a checkpoint has them."""
    if hasattr(source, "named_parameters"):
        pairs = [(plain_name(source, name), p) for name, p in source.named_parameters()]
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
    if kind in COMPLEX:
        return COMPLEX[kind]
    if kind not in DTYPES:
        raise TypeError(f"{name}: type {kind} is not supported; only {', '.join(DTYPES)}")
    return DTYPES[kind]


def is_recordable(tensor):
    """Is its type one that a trace has?"""
    return str(tensor.dtype).replace("torch.", "") in (*DTYPES, *COMPLEX)


def as_real(tensor):
    """A complex tensor as pairs of reals, which have the same norm; any other as it is."""
    import torch

    return torch.view_as_real(tensor.detach().resolve_conj()) if tensor.is_complex() else tensor


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
