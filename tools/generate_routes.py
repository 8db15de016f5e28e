#!/usr/bin/env python3
"""contract/openapi.json -> routes.h (C), openapi.h (C text) or api.md (reference).

usage: generate_routes.py h|text|md CONTRACT OUT"""
import email.utils
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


def quoted(text):
    return "NULL" if text is None else json.dumps(text)


def answer_schema(operation):
    """Where the answer of 200 is described, as a Link."""
    schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return f'</openapi.json{schema["$ref"]}>; rel="describedby"' if "$ref" in schema else None


def retirement(operation):
    """Deprecation (RFC 9745), Sunset (RFC 8594) and Link of an operation that is going away: three header values."""
    since = operation.get("x-stella-deprecated-at")
    until = operation.get("x-stella-sunset-at")
    successor = operation.get("x-stella-successor")
    if bool(operation.get("deprecated")) != (since is not None) or (until is not None and (since is None or until < since)):
        raise SystemExit(f'{operation["operationId"]}: deprecated and x-stella-deprecated-at go together, sunset comes after')
    return (None if since is None else f"@{since}",
            None if until is None else email.utils.formatdate(until, usegmt=True),
            None if successor is None else f'<{successor}>; rel="successor-version"')


def header(document):
    found = list(operations(document))
    lines = ["/* Generated from contract/openapi.json. */", "#ifndef CONTRACT_ROUTES_H",
             "#define CONTRACT_ROUTES_H", "", "enum route_id {"]
    lines += [f"    ROUTE_{snake(o['operationId']).upper()}," for _, _, o in found]
    lines += ["    ROUTE_COUNT", "};", "",
              "/* id, function, method, path, scope, other scope that will do, tenant, reason, idempotent, body,\n"
              " * Link of its answer's schema, Deprecation, Sunset, Link of its successor */",
              "#define ROUTE_CATALOGUE(ROW) \\"]
    for path, method, o in found:
        name = snake(o["operationId"])
        body = o.get("x-stella-body")
        retired = ", ".join(quoted(value) for value in retirement(o))
        lines.append(
            f'    ROW(ROUTE_{name.upper()}, {name}, HTTP_{method.upper()}, "{path}", '
            f'{scope_bit(o["x-stella-scope"])}, {scope_bit(o.get("x-stella-scope-also"))}, '
            f'TENANT_{o["x-stella-tenant"].upper()}, {str(bool(o.get("x-stella-reason"))).lower()}, '
            f'{str(bool(o.get("x-stella-idempotent"))).lower()}, BODY_{(body or "none").upper()}, '
            f'{quoted(answer_schema(o))}, {retired}) \\')
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


if __name__ == "__main__":
    main()
