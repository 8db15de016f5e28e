#!/usr/bin/env python3
"""contract/errors.json -> errors.h (C) or errors.md (reference).  usage: generate_errors.py h|md CONTRACT OUT"""
import json
import sys


def quote(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def header(errors):
    lines = ["/* Generated from contract/errors.json. */", "#ifndef CONTRACT_ERRORS_H",
             "#define CONTRACT_ERRORS_H", "", "enum err_code {", "    ERR_OK = 0,"]
    lines += [f"    ERR_{e['name'].upper()}," for e in errors]
    lines += ["    ERR_COUNT", "};", "", "#define ERR_CATALOGUE(ROW) \\",
              '    ROW(ERR_OK, "ok", 200, false, "Nothing failed.", "") \\']
    for e in errors:
        lines.append(f"    ROW(ERR_{e['name'].upper()}, {quote(e['name'])}, {e['status']}, "
                     f"{'true' if e['retryable'] else 'false'}, {quote(e['title'])}, "
                     f"{quote(e.get('runbook', ''))}) \\")
    lines[-1] = lines[-1][:-2]
    return "\n".join(lines + ["", "#endif", ""])


def reference(errors):
    lines = ["# Errors", "", "Generated from `contract/errors.json`. A problem document (RFC 9457) carries the name in",
             "`code`. Status 0: met by programs on this machine only, never over HTTP.", "",
             "| code | status | a retry can help | meaning | what to do |", "|---|---|---|---|---|"]
    for e in errors:
        book = f"[{e['runbook']}](../operate/{e['runbook']}.md)" if "runbook" in e else ""
        lines.append(f"| `{e['name']}` | {e['status']} | {'yes' if e['retryable'] else 'no'} | {e['title']} | {book} |")
    return "\n".join(lines + [""])


def main():
    kind, source, target = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        errors = json.load(file)["errors"]
    text = header(errors) if kind == "h" else reference(errors)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


main()
