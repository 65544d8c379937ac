"""setup.py - what wheel.sh has staged, as a wheel for one platform and every Python from 3.9 on."""

import os

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.dist import Distribution


class Binary(Distribution):
    """A program and a library are inside, though no extension module."""

    def has_ext_modules(self):
        return True


class AnyPython(bdist_wheel):
    """ctypes loads the library, so no Python's ABI is in the name."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


with open("README.md", encoding="utf-8") as file:
    README = file.read()

setup(
    name="gradtrace",
    version=os.environ["GRADTRACE_VERSION"],
    description="Record the gradients of a training run once, ask every clipping question offline",
    long_description=README,
    long_description_content_type="text/markdown",
    python_requires=">=3.9",
    install_requires=["numpy"],
    packages=["gradtrace", "gradtrace.start"],
    package_data={"gradtrace": ["bin/*", "bin/plots/*", "py.typed", "*.pyi"]},
    entry_points={"console_scripts": ["gradtrace = gradtrace._program:main"]},
    distclass=Binary,
    cmdclass={"bdist_wheel": AnyPython},
)
