"""_optimizer.py - what a trace holds about the optimizer: its settings, its parameter groups."""


# Of torch's optimizers, and of what is written in their way: what an update depends on.
SETTINGS = (
    "lr", "betas", "eps", "weight_decay", "decoupled_weight_decay", "momentum", "nesterov",
    "dampening", "amsgrad", "alpha", "centered", "momentum_decay",
)


def group_names(optimizer):
    """The optimizer's group of each parameter, by id(): its "name", or group0, group1, ..."""
    return {
        id(parameter): str(group.get("name") or f"group{i}")
        for i, group in enumerate(optimizer.param_groups)
        for parameter in group["params"]
    }


def settings_of(optimizer):
    """Class and settings of the first parameter group; all groups where they differ."""
    inner = getattr(optimizer, "optimizer", optimizer)  # accelerate's and apex's wrappers
    groups = [_group_settings(group) for group in optimizer.param_groups]
    settings = {"class": type(inner).__name__, **groups[0]}
    if any(group != groups[0] for group in groups):
        settings["param_groups"] = groups
    return settings


def _group_settings(group):
    settings = {}
    for key in SETTINGS:
        if key in group and group[key] is not None:
            value = group[key]
            if isinstance(value, (tuple, list)):
                settings[key] = [float(part) for part in value]
            else:
                settings[key] = value if isinstance(value, bool) else float(value)
    return settings
