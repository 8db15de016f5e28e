#!/usr/bin/env python3
"""contract/openapi.json -> routes.h (C), openapi.h (C text) or api.md (reference).

usage: generate_routes.py h|text|md CONTRACT OUT"""
import json
import re
import sys

METHODS = ["get", "post", "put", "patch", "delete"]


def snake(name):
    return re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def scope_bit(scope):
    return {None: "0", "any": "SCOPE_ANY"}.get(scope) or "SCOPE_" + scope.split(":")[1].upper()


def header(document):
    found = list(operations(document))
    lines = ["/* Generated from contract/openapi.json. */", "#ifndef CONTRACT_ROUTES_H",
             "#define CONTRACT_ROUTES_H", "", "enum route_id {"]
    lines += [f"    ROUTE_{snake(o['operationId']).upper()}," for _, _, o in found]
    lines += ["    ROUTE_COUNT", "};", "",
              "/* id, function, method, path, scope, other scope that will do, tenant, reason, idempotent, body */",
              "#define ROUTE_CATALOGUE(ROW) \\"]
    for path, method, o in found:
        name = snake(o["operationId"])
        body = o.get("x-stella-body")
        lines.append(
            f'    ROW(ROUTE_{name.upper()}, {name}, HTTP_{method.upper()}, "{path}", '
            f'{scope_bit(o["x-stella-scope"])}, {scope_bit(o.get("x-stella-scope-also"))}, '
            f'TENANT_{o["x-stella-tenant"].upper()}, {str(bool(o.get("x-stella-reason"))).lower()}, '
            f'{str(bool(o.get("x-stella-idempotent"))).lower()}, BODY_{(body or "none").upper()}) \\')
    lines[-1] = lines[-1][:-2]
    return "\n".join(lines + ["", "#endif", ""])


def text(document):
    raw = json.dumps(document, separators=(",", ":"), ensure_ascii=True)
    lines = ["/* Generated from contract/openapi.json. */", "#ifndef CONTRACT_OPENAPI_H",
             "#define CONTRACT_OPENAPI_H", "", "static const char openapi_text[] ="]
    for at in range(0, len(raw), 100):
        part = raw[at:at + 100].replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'    "{part}"')
    return "\n".join(lines) + ";\n\n#endif\n"


def reference(document):
    lines = ["# API", "", "Generated from `contract/openapi.json`, which has the schemas; `GET /openapi.json` serves it.",
             "Manners that hold for every call: [errors](errors.md), `Authorization: Bearer TOKEN`,",
             "`X-Stella-Tenant` with an installation token, `X-Request-Id` on every answer.", ""]
    room = None
    for path, method, o in operations(document):
        if o["tags"][0] != room:
            room = o["tags"][0]
            lines += [f"## {room}", "", "| call | scope | needs | CLI | what it does |", "|---|---|---|---|---|"]
        scope = o["x-stella-scope"] or ""
        if o.get("x-stella-scope-also"):
            scope += " or " + o["x-stella-scope-also"]
        needs = [w for flag, w in (("x-stella-reason", "reason"),) if o.get(flag)]
        needs += ["tenant"] if o["x-stella-tenant"] == "required" else []
        cli = f"`{o['x-stella-cli']}`" if o["x-stella-cli"] else ""
        lines.append(f"| `{method.upper()} {path}` | {scope} | {', '.join(needs)} | {cli} | {o['summary']} |")
        following = [x for x in operations(document) if x[2]["tags"][0] == room]
        if following[-1][2] is o:
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def main():
    kind, source, target = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        document = json.load(file)
    made = {"h": header, "text": text, "md": reference}[kind](document)
    with open(target, "w", encoding="utf-8") as file:
        file.write(made)


main()
