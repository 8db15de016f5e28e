#!/usr/bin/env python3
"""contract/history.json -> history.h (C) or history.md (reference).  usage: generate_history.py h|md CONTRACT OUT"""
import json
import sys


def header(types):
    lines = ["/* Generated from contract/history.json. */", "#ifndef CONTRACT_HISTORY_H",
             "#define CONTRACT_HISTORY_H", "", "/* ROW(type, facts, each ended by a space) */",
             "#define HISTORY_CATALOGUE(ROW) \\"]
    for t in types:
        facts = "".join(f"{name} " for name in t["facts"])
        lines.append(f'    ROW("{t["type"]}", "{facts}") \\')
    lines[-1] = lines[-1][:-2]
    return "\n".join(lines + ["", "#endif", ""])


def reference(contract):
    lines = ["# History", "", "Generated from `contract/history.json`.", "", contract["about"], ""]
    for t in contract["types"]:
        lines += [f"## `{t['type']}`", "", t["meaning"], ""]
        if t["facts"]:
            lines += ["| fact | meaning |", "|---|---|"]
            lines += [f"| `{name}` | {meaning} |" for name, meaning in t["facts"].items()]
            lines += [""]
    return "\n".join(lines)


def main():
    kind, source, target = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        contract = json.load(file)
    text = header(contract["types"]) if kind == "h" else reference(contract)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


main()
