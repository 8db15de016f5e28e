#!/usr/bin/env python3
"""contract/settings.json -> settings.h (C) or settings.md (reference).  usage: generate_settings.py h|md CONTRACT OUT"""
import json
import sys

KINDS = {"int": ("int64_t", "SETTING_INT"), "text": ("struct str", "SETTING_TEXT"), "flag": ("bool", "SETTING_FLAG")}


def quote(text):
    return '"' + str(text).replace('\\', '\\\\').replace('"', '\\"') + '"'


def default_text(setting):
    value = setting["default"]
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def header(settings):
    lines = ["/* Generated from contract/settings.json. */", "#ifndef CONTRACT_SETTINGS_H",
             "#define CONTRACT_SETTINGS_H", "", "#include <stdbool.h>", "#include <stdint.h>", "",
             '#include "base/str.h"', "", "struct settings {"]
    for s in settings:
        lines.append(f"    {KINDS[s['type']][0]} {s['name']}; /* {s['about']} */")
    lines += ["};", "", "#define SETTINGS_CATALOGUE(ROW) \\"]
    for s in settings:
        lines.append(f"    ROW({s['name']}, {KINDS[s['type']][1]}, {quote(default_text(s))}, "
                     f"INT64_C({s.get('min', 0)}), INT64_C({s.get('max', 0)}), "
                     f"{quote(s.get('unit', ''))}, {quote(s['about'])}) \\")
    lines[-1] = lines[-1][:-2]
    return "\n".join(lines + ["", "#endif", ""])


def reference(settings):
    lines = ["# Settings", "", "Generated from `contract/settings.json`. Later wins: default, settings file given with",
             "`--settings FILE` (`name = value` lines, `#` comments), environment variable, flag. An unknown name",
             "is an error. `stella orchestrator serve --print-settings` shows what is in force.", "",
             "| setting | flag | environment | default | bounds | meaning |", "|---|---|---|---|---|---|"]
    for s in settings:
        flag = "--" + s["name"].replace("_", "-")
        bounds = f"{s['min']} to {s['max']} {s['unit']}" if s["type"] == "int" else ""
        default = default_text(s)
        shown = f"`{default}`" if default else ""
        variable = f"`STELLA_{s['name'].upper()}`" if s.get("environment", True) else ""
        lines.append(f"| `{s['name']}` | `{flag}` | {variable} | {shown} | {bounds} | {s['about']} |")
    return "\n".join(lines + [""])


def main():
    kind, source, target = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        settings = json.load(file)["settings"]
    for s in settings:
        if s["type"] == "int" and not s["min"] <= s["default"] <= s["max"]:
            sys.exit(f"{s['name']}: the default is outside its bounds")
    with open(target, "w", encoding="utf-8") as file:
        file.write(header(settings) if kind == "h" else reference(settings))


main()
