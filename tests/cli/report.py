#!/usr/bin/env python3
"""report.py - look into a page of `gradtrace report`, for the tests.

    report.py shape PAGE         what it is made of, and what is wrong with that
    report.py numbers PAGE TSV   are all its numbers in the tables of the folder TSV?
    report.py text PAGE [ID]     its text, or that of the section ID
"""
import html.parser
import math
import os
import re
import sys

VOID = {"meta", "wbr"}
HTML = set("html head meta title style script body header main nav section div p a b h1 h2 h3 h4 "
           "ul li dl dt dd small span bdi data code pre table caption thead tbody tr th td figure "
           "figcaption sup wbr".split())
SVG = set("svg g defs path text tspan use circle rect polygon line polyline pattern symbol "
          "clippath image".split())
BLOCKS = set("p h1 h2 h3 h4 li dt dd tr caption figcaption pre div title nav header small"
             .split())


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.wrong, self.ids, self.links, self.sections = [], [], [], []
        self.tables, self.facts, self.figures, self.lines = [], [], 0, {}
        self.open, self.cell, self.fact = [], None, None
        self.feed(text)
        self.close()
        if self.open:
            self.wrong.append(f"left open: {self.open}")

    def handle_starttag(self, tag, attributes, closed=False):
        attributes = dict(attributes)
        known = SVG if "svg" in self.open or tag == "svg" else HTML
        if tag not in known:
            self.wrong.append(f"<{tag}> has no place here")
        for name, value in attributes.items():
            if name.startswith("on") or (name == "src") or "xmlns" in name:
                self.wrong.append(f"<{tag} {name}={value}>")
            if name.endswith("href") and not value.startswith(("#", "data:image/png")):
                self.wrong.append(f"<{tag} {name}={value}>")
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for value in attributes.values():
            self.links += re.findall(r"url\(#([^)]*)\)", value or "")
        href = attributes.get("href", "")
        if href.startswith("#"):
            self.links.append(href[1:])
        if tag == "section":
            self.sections.append(attributes["id"])
        if tag == "figure":
            self.figures += 1
        if tag == "table":
            self.tables.append((attributes["data-file"], [], []))
        if tag == "tr" and "tbody" in self.open:
            self.tables[-1][2].append([])
        if tag == "td":
            self.cell = [attributes.get("data-value"), ""]
        if tag == "th":
            self.cell = [None, ""]
        if tag == "data":
            self.fact = [attributes["value"], ""]
        if tag not in VOID and not closed:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes, closed=True)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> ends {self.open[-1:]}")
        else:
            self.end(self.open.pop())

    def end(self, tag):
        if tag == "td":
            self.tables[-1][2][-1].append(self.cell)
        if tag == "th":
            self.tables[-1][1].append(self.cell[1])
        if tag == "data":
            self.facts.append((self.sections[-1] if self.sections else "summary", *self.fact))
            self.fact = None
        if tag in BLOCKS:
            self.say("\n")
        if tag in {"td", "th"}:
            self.cell = None
            self.say(" | ")

    def handle_data(self, text):
        if self.cell is not None:
            self.cell[1] += text
        if self.fact is not None:
            self.fact[1] += text
        if not {"style", "script", "svg"} & set(self.open):
            self.say(text if "pre" in self.open else re.sub(r"\s+", " ", text))

    def handle_comment(self, text):
        self.wrong.append(f"a comment: {text}")

    def say(self, text):
        where = self.sections[-1] if self.sections else ""
        self.lines[where] = self.lines.get(where, "") + text

    def text(self, where=None):
        text = self.lines[where] if where else "".join(self.lines.values())
        return [line.strip() for line in text.split("\n") if line.strip()]


def shape(page, text):
    print("sections:", *page.sections)
    print("figures:", page.figures)
    print("tables:", *(file for file, _, _ in page.tables))
    for what in page.wrong:
        print("wrong:", what)
    for twice in sorted({i for i in page.ids if page.ids.count(i) > 1}):
        print("twice:", twice)
    for nowhere in sorted(set(page.links) - set(page.ids)):
        print("link to nothing:", nowhere)
    if re.search(r"(https?|ftp)://|@import", text):
        print("something is fetched from elsewhere")
    print("under 2 MB" if len(text.encode()) < 2e6 else f"{len(text.encode())} bytes")


def rows_of(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        # The page has "?" for characters that turn the direction of a text, the file their bytes.
        return [re.sub(r"(\\x[0-9a-f]{2})+", "?", line).rstrip("\n").split("\t")
                for line in f]


def share_as(percent):
    if percent == 0:
        return "0%"
    if 0 < percent < 0.01:
        return "<0.01%"
    if percent < 0.995:
        return f"{percent:.2f}%"
    if percent == 100 or percent >= 999.5:
        return f"{percent:.0f}%"
    return "99.9%" if 99.9 < percent < 100 else f"{percent:.1f}%"


def shown_as(exact):
    """The ways in which a page may round a number."""
    value = float(exact)
    if math.isnan(value):
        return {"–"}
    if math.isinf(value):
        return {"∞" if value > 0 else "−∞"}
    ways = {f"{value:.0f}", f"{value:,.0f}", f"{value:.6g}", f"{value:.3g}", f"{value:.2g}",
            f"{value:#.3g}".rstrip("."), f"{value:#.2g}".rstrip(".")}
    percent = 100 * value
    ways.add(share_as(percent))
    # A change is no share: an update may move by more than its length.
    ways.add("<0.001%" if 0 < percent < 0.001 else f"{percent:.2g}%" if percent < 0.01 else
             f"{percent:.3g}%" if percent < 999.5 else f"{percent:.0f}%")
    powers = {re.sub(r"e\+?(-?)0?(\d+)", r" × 10\1\2", way) for way in ways}
    return ways | powers


def numbers(page, folder):
    checked = 0
    files = {}
    for file, heads, rows in page.tables:
        files[file] = rows_of(os.path.join(folder, file))
        if len(rows) > len(files[file]) - 1:
            print(f"{file}: the page has more rows")
        for row in rows:
            # Columns that only the file has stand between those of the page.
            for exact, text in row:
                if exact is None and not any(text in line for line in files[file]):
                    print(f"{file}: does not have {text!r}")
                if exact is None:
                    continue
                checked += 1
                if not any(exact in line for line in files[file][1:]):
                    print(f"{file}: does not have {exact}")
                if text not in shown_as(exact):
                    print(f"{file}: {exact} is shown as {text!r}")
    facts = {(section, value)
             for section, _, value in rows_of(os.path.join(folder, "facts.tsv"))[1:]}
    for section, exact, text in page.facts:
        checked += 1
        if (section, exact) not in facts:
            print(f"facts.tsv: {section} does not have {exact}")
        if text not in shown_as(exact):
            print(f"facts.tsv: {exact} is shown as {text!r}")
    print("checked all" if checked > 50 else f"checked {checked}")


def main():
    what, path, *rest = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    page = Page(text)
    if what == "shape":
        shape(page, text)
    elif what == "numbers":
        numbers(page, *rest)
    else:
        print("\n".join(page.text(*rest)))


main()
