"""_tables.py - what studies answer, as Python and notebooks like to have it.

A Table is a list of dicts, and a Report a dict; both are plain data that json writes again, look
like something in a notebook, and become pandas frames where pandas is there.
"""

import html
import math


class Table(list):
    """Rows, each a dict of the same names; a list in every other way."""

    @property
    def columns(self):
        """Names of the columns, in the order of the command's own."""
        return list(dict.fromkeys(name for row in self for name in row))

    def __getitem__(self, key):
        """A row by its number, rows by a slice, a column (a list) by its name."""
        if isinstance(key, str):
            if key not in self.columns:
                raise KeyError(f"{key!r} is no column; there are {', '.join(self.columns)}")
            return [row.get(key) for row in self]
        found = super().__getitem__(key)
        return Table(found) if isinstance(key, slice) else found

    def frame(self):
        """The same as a pandas.DataFrame; ImportError where pandas is not installed."""
        import pandas

        return pandas.DataFrame(list(self), columns=self.columns)

    def _repr_html_(self):
        return table(self.columns, [[row.get(name) for name in self.columns] for row in self])


class Report(dict):
    """What a study found: a dict whose lists of rows are Tables and whose names are attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no {name!r} in it; there are {', '.join(self)}") from None

    def __dir__(self):
        return [*super().__dir__(), *self]

    def _repr_html_(self):
        plain = {k: v for k, v in self.items() if not isinstance(v, (dict, list))}
        parts = [table(["", ""], list(plain.items()))]
        for name, value in self.items():
            if isinstance(value, (Table, Report)) and value:
                parts.append(f"<b>{html.escape(name)}</b>{value._repr_html_()}")
            elif isinstance(value, list) and value:
                parts.append(f"<b>{html.escape(name)}</b><p>{html.escape(shown(value))}</p>")
        return "".join(parts)


def structured(value):
    """json's dicts and lists of dicts as Reports and Tables, all the way down."""
    if isinstance(value, dict):
        return Report((key, structured(part)) for key, part in value.items())
    if isinstance(value, list):
        parts = [structured(part) for part in value]
        return Table(parts) if parts and isinstance(parts[0], dict) else parts
    return value


def table(columns, rows, most=30):
    """An HTML table; of many rows the first and the last."""
    left_out = len(rows) - most
    if left_out > 0:
        gap = [[f"… {left_out} rows …"] + [""] * (len(columns) - 1)]
        rows = [*rows[: most // 2], *gap, *rows[len(rows) - (most - most // 2) :]]
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(shown(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def shown(value):
    """A number to four digits, as the program's tables have it; text as it is."""
    if value is None:
        return "-"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.4g}"
    if isinstance(value, Report):
        return ", ".join(f"{key} {shown(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(part) for part in value)
    return str(value)
