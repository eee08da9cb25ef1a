"""Judges pairs with nothing but the tables: judge.py json|csv FOLDER < statuses

Reads one status per line. Prints one letter for every reply code 200 to 599, with every class, with every status: C for
a class mismatch, U for unregistered, L for listed, N for unlisted, - for no list.
"""

import csv
import json
import sys
from itertools import dropwhile
from pathlib import Path


def lists_of_json(folder):
    data = json.loads((folder / "smtp-enhanced-status.json").read_text("utf-8"))
    return {row["code"]: prefixes(row["associated"]) for row in data["statuses"]}


def prefixes(associated):
    if associated["form"] in ("not-given", "no-data"):
        return None
    if associated["form"] == "any":
        return ("",)
    return tuple(str(digits) for digits in associated["codes"] + associated["class_wildcards"])


def lists_of_csv(folder):
    lists = {row["code"]: None for row in rows(folder / "statuses.csv")}
    for row in rows(folder / "pairs.csv"):
        lists[row["status"]] = (lists[row["status"]] or ()) + (row["reply_code"],)
    return lists


def rows(path):
    with open(path, encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(dropwhile(lambda line: line.startswith("#"), lines))


def verdict(lists, reply_code, digit, status):
    if reply_code[0] != digit:
        return "C"
    if status not in lists:
        return "U"
    if lists[status] is None:
        return "-"
    return "L" if reply_code.startswith(lists[status]) else "N"


lists = {"json": lists_of_json, "csv": lists_of_csv}[sys.argv[1]](Path(sys.argv[2]))
statuses = sys.stdin.read().split()
reply_codes = [str(number) for number in range(200, 600)]
print("".join(verdict(lists, code, digit, status) for code in reply_codes for digit in "245" for status in statuses))
