"""test_stubs.py - the stub says what the code has: names, parameters, defaults."""

import ast
import inspect
import os
import unittest

import gradtrace
from gradtrace import _tables, _trace

FOLDER = os.path.dirname(gradtrace.__file__)
ELSEWHERE = {"Table": _tables.Table, "Report": _tables.Report, "Picture": _trace.Picture}
NOT_DECLARED = {"__repr__", "__dir__", "__getitem__"}  # as object, list and dict have them


def stub():
    """The stub's functions and classes by name."""
    with open(os.path.join(FOLDER, "__init__.pyi"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    return {node.name: node for node in tree.body if hasattr(node, "name")}


def parameters(function):
    """[(name, default, only by its name?)] of a function of the stub."""
    arguments = function.args
    plain = arguments.posonlyargs + arguments.args
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    found = list(zip(plain, defaults)) + list(zip(arguments.kwonlyargs, arguments.kw_defaults))
    return sorted(
        (
            argument.arg,
            None if default is None else ast.literal_eval(default),
            argument in arguments.kwonlyargs,
        )
        for argument, default in found
        if argument.arg != "self"
    )


def real_parameters(function):
    """The same of the code's own."""
    found = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return sorted(
        (p.name, None if p.default is p.empty else p.default, p.kind is p.KEYWORD_ONLY)
        for p in found
        if p.name != "self" and p.kind not in variable
    )


class Stubs(unittest.TestCase):
    def test_every_public_name_is_there_and_nothing_else(self):
        self.assertEqual(
            set(gradtrace.__all__) | set(ELSEWHERE), set(stub()) | {"__version__"}
        )
        self.assertTrue(os.path.isfile(os.path.join(FOLDER, "py.typed")))

    def test_functions_take_what_the_stub_says(self):
        for name, node in stub().items():
            real = ELSEWHERE.get(name) or getattr(gradtrace, name)
            if isinstance(node, ast.FunctionDef):
                self.assertEqual(parameters(node), real_parameters(real), name)
                continue
            for part in node.body:
                if not isinstance(part, ast.FunctionDef):
                    continue
                method = vars(real)[part.name]
                if isinstance(method, property):
                    self.assertTrue(part.decorator_list, f"{name}.{part.name}")
                    continue
                self.assertEqual(
                    parameters(part), real_parameters(method), f"{name}.{part.name}"
                )

    def test_the_package_is_python_3_9_throughout(self):
        for folder, _, names in os.walk(FOLDER):
            for name in names:
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        ast.parse(file.read(), name, feature_version=(3, 9))

    def test_no_public_method_is_missing(self):
        for name, node in stub().items():
            if not isinstance(node, ast.ClassDef) or name == "TrainerCallback":
                continue
            real = ELSEWHERE.get(name) or getattr(gradtrace, name)
            told = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            there = {
                key
                for key, value in vars(real).items()
                if not key.startswith("_") and (callable(value) or isinstance(value, property))
            }
            self.assertLessEqual(there - NOT_DECLARED, told, name)


if __name__ == "__main__":
    unittest.main()
