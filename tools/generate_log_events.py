#!/usr/bin/env python3
"""contract/log_events.json -> log_events.h (C) or log_events.md (reference).

usage: generate_log_events.py h|md CONTRACT OUT"""
import json
import sys


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def header(events):
    lines = ["/* Generated from contract/log_events.json. */", "#ifndef CONTRACT_LOG_EVENTS_H", "#define CONTRACT_LOG_EVENTS_H", "",
             "/* event, name, severity, limited */", "#define LOG_EVENT_CATALOGUE(ROW) \\"]
    for e in events:
        lines.append(f"    ROW(LOG_{e['name'].upper()}, {quote(e['name'])}, SEVERITY_{e['level'].upper()}, "
                     f"{'true' if e.get('limited') else 'false'}) \\")
    lines[-1] = lines[-1][:-2]
    return "\n".join(lines + ["", "#endif", ""])


def reference(document):
    lines = ["# Log events", "", "Generated from `contract/log_events.json`. " + document["about"], "",
             "A line is `{\"at\",\"event\",\"facts\",\"level\"}`; `facts.request` is the `X-Request-Id` of the answer, `facts.trace` the",
             "trace id of the request's `traceparent`. Secrets are taken out.", "",
             "| event | level | limited | meaning | facts |", "|---|---|---|---|---|"]
    for e in document["events"]:
        facts = ", ".join(f"`{fact}`" for fact in e["facts"])
        lines.append(f"| `{e['name']}` | {e['level']} | {'yes' if e.get('limited') else ''} | {e['about']} | {facts} |")
    return "\n".join(lines + [""])


def main():
    kind, source, target = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        document = json.load(file)
    text = header(document["events"]) if kind == "h" else reference(document)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


main()
