"""sitecustomize.py - what `gradtrace record` has every Python of the recorded run start with.

Python imports a module of this name, if there is one, before anything else; `gradtrace record`
puts this folder first in PYTHONPATH.  It takes itself out of sys.path again, runs the
sitecustomize that would have been found without it, and waits until the script imports torch:
nothing of gradtrace and nothing that the script might not want is imported before that.

GRADTRACE_RECORD names a folder of the recording program: settings.json in it says what to record,
and what the program is to tell at the end is appended to its file "notes".  Without it nothing
happens here.  Old Pythons read this file, too, so it keeps to what they understand.
"""

import os
import sys

PACKAGE = "_gradtrace_record"  # a name of its own: the script may have another gradtrace
FOLDER = os.environ.get("GRADTRACE_RECORD")


def note(kind, text=""):
    """One line for the program that waits; if it is gone, so is the file, and nobody listens."""
    line = "%d\t%s\t%s\n" % (os.getpid(), kind, " ".join(text.split()))
    try:
        file = os.open(os.path.join(FOLDER, "notes"), os.O_WRONLY | os.O_APPEND)
    except OSError:
        return
    try:
        os.write(file, line.encode("utf-8", "replace"))
    except OSError:
        pass
    finally:
        os.close(file)


def start_recording():
    """The package beside this folder, under a name of its own, and its hook; never raises."""
    try:
        import importlib.util

        folder = os.path.dirname(HERE)
        spec = importlib.util.spec_from_file_location(
            PACKAGE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
        )
        package = importlib.util.module_from_spec(spec)
        sys.modules[PACKAGE] = package
        spec.loader.exec_module(package)
        hook = importlib.import_module(PACKAGE + "._hook")
    except Exception as error:
        note("problem", "the hook cannot be loaded: %s: %s" % (type(error).__name__, error))
        return
    hook.start(FOLDER, note)


class Watch:
    """Stands in sys.meta_path until torch has been imported.

    It finds torch as it would be found without it, and only adds a call to the end of its loading.
    Asking where torch is (importlib.util.find_spec) is no import; so it stays until the loading.
    """

    def __init__(self):
        self.asks = False

    def find_spec(self, name, path=None, target=None):
        if name != "torch" or self.asks:
            return None
        import importlib.util

        self.asks = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.asks = False
        if spec is not None and spec.loader is not None:
            self.follow(spec.loader)
        return spec

    def follow(self, loader):
        """The loader of one module; it has exec_module as an attribute of its own while we wait."""
        load = loader.exec_module

        def exec_module(module):
            del loader.exec_module
            load(module)
            sys.meta_path.remove(self)
            start_recording()

        try:
            loader.exec_module = exec_module
        except AttributeError:
            note("problem", "torch is loaded in a way that cannot be watched")


def make_way():
    """Leaves sys.path and sys.modules as they would be, and runs the sitecustomize after us."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != HERE]
    sys.path_importer_cache.pop(HERE, None)
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
    finally:
        # Python's import of us fails if the name is gone when we return.
        sys.modules.setdefault("sitecustomize", ours)


HERE = os.path.dirname(os.path.abspath(__file__))
if FOLDER and sys.version_info >= (3, 7) and os.path.isdir(FOLDER):
    note("python")
    sys.meta_path.insert(0, Watch())
make_way()
