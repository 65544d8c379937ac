"""test_mirror.py - the structs as Python sees them are the structs that the C compiler makes."""

import ctypes
import os
import re
import shlex
import shutil
import subprocess

from gradtrace import _library, _reading
from harness import Case

TREE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
STRUCTS = {
    "gtr_err": _library.Err,
    "gtr_record_options": _library.RecordOptions,
    "gtr_record_progress": _library.RecordProgress,
    "gtr_record_estimate": _library.RecordEstimate,
    "gtr_reduction": _library.Reduction,
    "gtr_sample": _library.Sample,
    "gtr_tensor": _reading.Tensor,
    "gtr_head": _reading.Head,
    "gtr_step": _reading.Step,
    "gtr_captured": _reading.Captured,
    "gtr_groups": _reading.Groups,
    "gtr_series": _reading.Series,
    "gtr_device": _reading.Device,
    "gtr_replay_options": _reading.ReplayOptions,
    "gtr_decisions": _reading.Decisions,
}


def public_header():
    """gradtrace.h as it is installed."""
    script = os.path.join(TREE, "lib", "public_header.sh")
    return subprocess.run(
        [script, "gradtrace.h"], check=True, capture_output=True, text=True
    ).stdout


def fields_in_header(struct, header):
    """Names of the fields that a header gives a struct, in order."""
    body = re.search(r"struct %s \{(.*?)\n\};" % struct, header, re.S).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    fields = []
    for part in body.split(";")[:-1]:
        declared = part.split(",")  # "size_t n_groups, n_steps" are two
        fields += [re.search(r"(\w+)(\[\d+\])?$", one.strip()).group(1) for one in declared]
    return fields


class Mirror(Case):
    def measured(self, expressions):
        """The values of C expressions, as the compiler has them."""
        compiler = shlex.split(os.environ.get("CC", "cc"))
        if shutil.which(compiler[0]) is None:
            self.skipTest(f"no C compiler ({compiler[0]})")
        lines = "".join(f'    printf("%lld\\n", (long long)({e}));\n' for e in expressions)
        with open(self.path("m.c"), "w", encoding="utf-8") as file:
            file.write(
                f"#include <stdio.h>\n{public_header()}\n"
                f"int main(void)\n{{\n{lines}    return 0;\n}}\n"
            )
        program = self.path("m")
        subprocess.run([*compiler, "-std=c11", self.path("m.c"), "-o", program], check=True)
        output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        return [int(line) for line in output.split()]

    def test_every_field_of_the_header_is_there_in_order(self):
        header = public_header()
        for struct, mirror in STRUCTS.items():
            names = [name for name, _ in mirror._fields_]
            self.assertEqual(names, fields_in_header(struct, header))

    def test_sizes_and_offsets(self):
        expressions, wanted = [], []
        for struct, mirror in STRUCTS.items():
            expressions.append(f"sizeof(struct {struct})")
            wanted.append(ctypes.sizeof(mirror))
            for name, _ in mirror._fields_:
                member = getattr(mirror, name)
                expressions.append(f"offsetof(struct {struct}, {name})")
                wanted.append(member.offset)
                expressions.append(f"sizeof(((struct {struct} *)0)->{name})")
                wanted.append(member.size)
        for expression, value, got in zip(expressions, wanted, self.measured(expressions)):
            self.assertEqual(value, got, expression)

    def test_enumerations(self):
        names = {"f32": "GTR_F32", "f16": "GTR_F16", "bf16": "GTR_BF16", "f64": "GTR_F64"}
        expressions = [names[name] for name in _library.DTYPES]
        expressions += ["GTR_DTYPE_COUNT"]
        expressions += [f"GTR_ELEMENTS_{name.upper()}" for name in _library.ELEMENTS]
        expressions += [f"GTR_FULL_{name.upper()}" for name in _library.WHEN_FULL]
        wanted = [*_library.DTYPES.values(), len(_library.DTYPES), *_library.ELEMENTS.values()]
        expressions += [f"GTR_COMPRESS_{name.upper()}" for name in _library.COMPRESSION]
        wanted += [*_library.WHEN_FULL.values(), *_library.COMPRESSION.values()]
        codes = {"usage": "GTR_EUSAGE", "system": "GTR_EIO", "format": "GTR_EFORMAT"}
        codes.update({"memory": "GTR_ENOMEM", "device": "GTR_EDEVICE"})
        expressions += [codes[kind] for kind in _library.CODES.values()]
        wanted += list(_library.CODES)
        self.assertEqual(self.measured(expressions), wanted)
