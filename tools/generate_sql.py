#!/usr/bin/env python3
"""Named statements of .sql files -> C tables.  usage: generate_sql.py BACKEND OUT.c FILE.sql..."""
import os
import sys

ARGS_MAX = 12


def quote(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def statements(path):
    found = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip()
            if line.startswith("-- name:"):
                found.append({"name": line[8:].strip(), "args": [], "sql": []})
            elif line.startswith("-- args:"):
                found[-1]["args"] += [a.strip() for a in line[8:].split(",") if a.strip()]
            elif line and not line.lstrip().startswith("--"):
                if not found:
                    sys.exit(f"{path}:{number}: a statement needs a '-- name:' line before it")
                found[-1]["sql"].append(line)
    names = [s["name"] for s in found]
    for statement in found:
        if names.count(statement["name"]) > 1:
            sys.exit(f"{path}: {statement['name']} is there twice")
        if not statement["sql"]:
            sys.exit(f"{path}: {statement['name']} is empty")
        if len(statement["args"]) > ARGS_MAX:
            sys.exit(f"{path}: {statement['name']} has more than {ARGS_MAX} arguments")
    return found


def table(backend, path):
    name = os.path.splitext(os.path.basename(path))[0]
    found = statements(path)
    lines = [f"static const struct statement {name}_statements[] = {{"]
    for statement in found:
        sql = "\n     ".join(quote(line)[:-1] + '\\n"' for line in statement["sql"])
        args = ", ".join(quote(a) for a in statement["args"]) or "NULL"
        lines.append(f"    {{{quote(statement['name'])},\n     {sql},\n"
                     f"     {{{args}}},\n     {len(statement['args'])}}},")
    lines += ["};", "", f"extern const struct statement_file {backend}_{name};",
              f"const struct statement_file {backend}_{name} = "
              f"{{{quote(name)}, {name}_statements, {len(found)}}};", ""]
    return lines


def main():
    backend, target, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    lines = ["/* Generated from the .sql files by tools/generate_sql.py. */", "#include <stddef.h>", "",
             '#include "ledger/statements.h"', ""]
    for path in files:
        lines += table(backend, path)
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


main()
