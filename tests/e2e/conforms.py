"""Whether a JSON value has the shape that contract/openapi.json gives it."""

NAMES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}


class Conforms:
    def __init__(self, document):
        self.schemas = document["components"]["schemas"]

    def check(self, case, value, schema, where):
        """As much of JSON Schema as the document uses."""
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds:
            fits = any(isinstance(value, NAMES[kind]) and not (kind in ("integer", "number") and isinstance(value, bool))
                       for kind in kinds)
            case.assertTrue(fits, f"{where}: {value!r} is not {kinds}")
        if "enum" in schema:
            case.assertIn(value, schema["enum"], where)
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            for name in schema.get("required", []):
                case.assertIn(name, value, where)
            for name, member in value.items():
                if name in properties:
                    self.check(case, member, properties[name], f"{where}/{name}")
                elif schema.get("additionalProperties") is False:
                    case.fail(f"{where}: {name} is not in the contract")
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                self.check(case, item, schema["items"], f"{where}/{number}")
