#!/usr/bin/env python3
"""Joins CSAF products and CycloneDX references again, from observation lines alone.

usage: compare_joins.py EXPECTED OBSERVATIONS

The observations must hold all that it takes to find `csaf_product_matches` and `cyclonedx_vex` of
an expected-matches.json. Exit status 0 when both agree. Python's standard library only.
"""
import json
import sys
import urllib.parse

COMPARED_QUALIFIERS = ("arch", "epoch", "type")


def split_purl(text):
    """Type, name, version and qualifiers; enough for texts that were accepted as purls."""
    rest = text.split("#")[0]
    rest, _, qualifiers = rest.partition("?")
    head, _, version = rest.rpartition("@") if "@" in rest.split("/")[-1] else (rest, "", "")
    pairs = dict(urllib.parse.parse_qsl(qualifiers))
    return head.lower(), urllib.parse.unquote(version), pairs


def same_product(a, b):
    (a_name, a_version, a_pairs), (b_name, b_version, b_pairs) = split_purl(a), split_purl(b)
    return a_name == b_name and a_version == b_version and all(
        a_pairs[key] == b_pairs[key]
        for key in COMPARED_QUALIFIERS if key in a_pairs and key in b_pairs)


def csaf_matches(lines):
    components = [(line["path"], component["purl"]) for line in lines if line["kind"] == "sbom"
                  for component in line["body"]["components"]]
    by_name = {}
    for path, purl in components:
        by_name.setdefault(split_purl(purl)[0], []).append((path, purl))
    found = set()
    for line in lines:
        if line["format"] != "csaf":
            continue
        for statement in line["body"]["statements"]:
            for product in statement["products"]:
                for purl in product["subcomponents"] or [product["purl"]]:
                    if not purl or not split_purl(purl)[1]:
                        continue
                    for path, component in by_name.get(split_purl(purl)[0], []):
                        if same_product(purl, component):
                            found.add((path, component, line["path"], statement["vulnerability"][0],
                                       statement["status"]))
    return found


def cyclonedx_references(lines):
    """(document, statement, ref) to how it resolves and the documents that bear the BOM's number."""
    boms = {}
    for line in lines:
        bom = line["body"].get("bom")
        if bom:
            refs = {e["ref"] for e in line["body"].get("elements", [])}
            refs |= {ref for c in line["body"].get("components", []) for ref in c["refs"]}
            boms.setdefault((bom["serial"], bom["version"]), []).append((line["path"], refs))
    found = {}
    for line in lines:
        if line["format"] != "cyclonedx" or line["kind"] != "vex":
            continue
        own = {e["ref"] for e in line["body"]["elements"]}
        for statement in line["body"]["statements"]:
            for product in statement["products"]:
                key = line["path"], statement["index"], product["id"]
                if product["id"] in own:
                    found[key] = "same-document", None
                    continue
                link = product["link"]
                bearers = boms.get((link["serial"], link["version"]), [])
                holders = sorted(path for path, refs in bearers if link["element"] in refs)
                found[key] = (("bom-link", holders) if holders else
                              ("bom-found-element-missing", sorted(path for path, _ in bearers)))
    return found


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        expected = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        lines = [line for line in map(json.loads, file) if "body" in line]
    problems = []
    wanted = {(r["sbom"], r["component"], r["csaf_file"], r["cve"], r["status"])
              for r in expected["csaf_product_matches"]}
    found = csaf_matches(lines)
    problems += [f"CSAF expected: {x}" for x in sorted(wanted - found)]
    problems += [f"CSAF found: {x}" for x in sorted(found - wanted)]
    references = cyclonedx_references(lines)
    for row in expected["cyclonedx_vex"]:
        key = row["vex_file"], row["index"], row["ref"]
        how, where = references.pop(key, ("lost", None))
        targets = row["target"] if isinstance(row["target"], list) else [row["target"]]
        if how != row["resolves"] or (where and not set(targets) <= set(where)):
            problems.append(f"CycloneDX {key}: {row['resolves']} expected, {how} {where} found")
    problems += [f"CycloneDX found: {key}" for key in references]
    for problem in problems:
        print(problem)
    print(f"{len(wanted)} CSAF products, {len(expected['cyclonedx_vex'])} CycloneDX references")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
