"""Requests made from contract/openapi.json: valid ones, and what may go wrong with each."""
import json

METHODS = ("get", "post", "put", "patch", "delete")
INTEGERS = (0, -1, 1, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -2**63, -2**63 - 1, 10**30)
TEXTS = ("", " ", "a" * 129, "a" * 5000, "\x01", "\x7f", "\u202e", "\ufffd", "../../etc/passwd", "' OR 1=1 --", "%00", "null", "-0",
         "job-0", "job--1", "job-99999999999999999999", "run-9223372036854775808", "é" * 200, "a\nb", "\t", "{}", "[]", "<script>")
NUMERALS = ("1e400", "-1e400", "1E5", "0.1", "-0", "00", "1.", ".5", "+1", "0x10", "NaN", "Infinity", "9" * 400, "1e-400")
BROKEN_UTF8 = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80")


class Request:
    """What is sent, byte for byte; `why` says what is wrong with it."""

    def __init__(self, operation, method, target, headers, body):
        self.operation, self.method, self.target = operation, method, target
        self.headers, self.body = headers, body
        self.why = "valid"

    def bytes(self):
        lines = [f"{self.method} {self.target} HTTP/1.1".encode("utf-8", "surrogateescape"), b"Host: localhost"]
        lines += [name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in self.headers]
        if self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}".encode())
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.body or b"")

    def header(self, name, value):
        self.headers = [pair for pair in self.headers if pair[0] != name]
        if value is not None:
            self.headers.append((name, value))


class Corpus:
    def __init__(self, document, rng, known, tokens):
        """known: path parameter -> values, most of which exist; tokens: scope -> who may ask, "" -> anybody."""
        self.document, self.rng, self.known, self.tokens = document, rng, known, tokens
        self.operations = [(method.upper(), path, item[method]) for path, item in document["paths"].items()
                           for method in METHODS if method in item]
        self.weights = [4 if "requestBody" in operation else 1 for _, _, operation in self.operations]

    def __iter__(self):
        while True:
            method, path, operation = self.rng.choices(self.operations, self.weights)[0]
            yield self.spoil(self.valid(method, path, operation))

    # --- what the contract wants ---

    def resolve(self, item):
        while "$ref" in item:
            node = self.document
            for name in item["$ref"].removeprefix("#/").split("/"):
                node = node[name]
            item = node
        return item

    def valid(self, method, path, operation):
        askers = self.tokens[operation["x-stella-scope"] if operation["x-stella-scope"] in self.tokens and self.rng.random() < 0.8 else ""]
        target, query, headers = path, [], [("Authorization", "Bearer " + self.rng.choice(askers))]
        for parameter in map(self.resolve, operation.get("parameters", [])):
            name, place = parameter["name"], parameter["in"]
            if place == "path":
                target = target.replace("{" + name + "}", self.rng.choice(self.known.get(f"{path}#{name}", self.known.get(name, ["x"]))))
            elif place == "query" and not name.startswith("wait") and self.rng.random() < 0.3:
                query.append(f"{name}={self.text_of(parameter['schema'])}")
            elif place == "header" and name == "X-Stella-Tenant":
                headers.append((name, "acme"))
            elif place == "header" and (parameter.get("required") or (name != "Prefer" and self.rng.random() < 0.2)):
                headers.append((name, "because" if name == "X-Stella-Reason" else self.text_of(parameter["schema"])))
        body = None
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            body = json.dumps(self.value_of(content["application/json"]["schema"])).encode()
            headers.append(("Content-Type", "application/json"))
        elif content:
            body = self.rng.randbytes(self.rng.randrange(0, 300))
            headers.append(("Content-Type", "application/octet-stream"))
        elif method in ("POST", "PUT", "PATCH"):
            body = b""
        return Request(operation, method, target + ("?" + "&".join(query) if query else ""), headers, body)

    def text_of(self, schema):
        value = self.value_of(schema)
        return value if isinstance(value, str) else json.dumps(value)

    def value_of(self, schema, depth=0):
        """A value of the schema; texts are plain."""
        schema, rng = self.resolve(schema), self.rng
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                return self.value_of(rng.choice(schema[choice]), depth)
        if "enum" in schema:
            return rng.choice(schema["enum"])
        kind = schema.get("type", "string")
        kind = rng.choice(kind) if isinstance(kind, list) else kind
        if kind == "integer":
            low, high = schema.get("minimum", 0), schema.get("maximum", 1000)
            return rng.choice((low, min(low + 1, high), min(high, 1000)))
        if kind == "object":
            required = schema.get("required", [])
            return {name: self.value_of(member, depth + 1) for name, member in schema.get("properties", {}).items()
                    if not name.startswith("wait") and (name in required or (depth < 3 and rng.random() < 0.4))}
        if kind == "array":
            least = schema.get("minItems", 0)
            return [self.value_of(schema.get("items", {}), depth + 1) for _ in range(max(least, rng.randrange(0, 3)))]
        if kind in ("boolean", "null", "number"):
            return {"boolean": rng.random() < 0.5, "null": None, "number": 1}[kind]
        return rng.choice(("demo", "feed", "nightly", "k1", "a" * schema.get("maxLength", 20)))[:schema.get("maxLength", 200)]

    # --- what may be wrong ---

    def spoil(self, request):
        ways = [self.spoil_target, self.spoil_query, self.spoil_headers, self.spoil_method, self.leave]
        if request.body is not None:
            ways += [self.spoil_value] * 6 + [self.spoil_bytes] * 4
        way = self.rng.choice(ways)
        way(request)
        return request

    def leave(self, request):
        """Valid, as far as the schema says."""

    def spoil_target(self, request):
        path, _, query = request.target.partition("?")
        parts = path.split("/")
        at = self.rng.randrange(1, len(parts))
        parts[at] = self.rng.choice(("", ".", "..", "%00", "%2F", "%zz", "%", "%ff", "%c0%af", "a" * 3000, "job-0", "job--5", "run-1e3",
                                     "job-18446744073709551617", "%20", "~", "*", ";a=b", "tok-0", "\u00e9"))
        request.why = f"path segment {at} is {parts[at][:40]!r}"
        request.target = "/".join(parts) + ("?" + query if query else "")

    def spoil_query(self, request):
        extra = self.rng.choice(("unknown=1", "limit=0", "limit=-1", "limit=1001", "limit=1&limit=2", "limit=99999999999999999999",
                                 "limit=abc", "limit=", "cursor=AAAA", "cursor=%00", "cursor=" + "A" * 4000, "state=nonsense", "=", "&&&",
                                 "%zz=1", "limit=1%00", "state=dead&state=live", "q[]=1", "run=job-1", "type=%ff", "after=-1"))
        request.why = f"query has {extra[:40]!r}"
        request.target += ("&" if "?" in request.target else "?") + extra

    def spoil_headers(self, request):
        name, value = self.rng.choice((
            ("Authorization", "Bearer nonsense"), ("Authorization", "Basic YTpi"), ("Authorization", "Bearer " + "x" * 4000),
            ("Authorization", None), ("Authorization", b"Bearer \xff\xfe"), ("X-Stella-Tenant", "nobody"), ("X-Stella-Tenant", "system"),
            ("X-Stella-Tenant", "a" * 4000), ("X-Stella-Tenant", b"\xff"), ("X-Stella-Tenant", ""), ("X-Stella-Reason", None),
            ("X-Stella-Reason", ""), ("X-Stella-Reason", b"\xff\xfe"), ("X-Stella-Reason", "r" * 4000), ("X-Stella-Ticket", "t" * 4000),
            ("If-Match", "*"), ("If-Match", '"999"'), ("If-Match", "W/\"1\""), ("If-Match", "nonsense"), ("If-None-Match", "*"),
            ("Idempotency-Key", ""), ("Idempotency-Key", "k" * 4000), ("Idempotency-Key", b"\xff"), ("Content-Type", "text/plain"),
            ("Content-Type", None), ("Content-Type", "application/json; charset=latin-1"), ("Content-Encoding", "gzip"),
            ("traceparent", "00-zz"), ("traceparent", "x" * 4000), ("X-Request-Id", "a b"), ("X-Request-Id", "x" * 4000),
            ("Prefer", "wait=abc"), ("Prefer", "wait=-1"), ("Prefer", "x" * 4000), ("Accept", "image/png"), ("Range", "bytes=5-1"),
            ("Range", "bytes=a-b"), ("X-Stella-Lease", "1.1.1"), ("X-Stella-Lease", "9" * 400), ("Expect", "nonsense")))
        request.why = f"header {name} is {str(value)[:40]!r}"
        request.header(name, value)

    def spoil_method(self, request):
        request.method = self.rng.choice(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "get"))
        request.why = f"method {request.method}"

    def places(self, value, at=()):
        """Every place in a JSON value."""
        found = [at]
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, member in items:
            found += self.places(member, (*at, key))
        return found

    def spoil_value(self, request):
        try:
            value = json.loads(request.body)
        except ValueError:
            return self.spoil_bytes(request)
        at = self.rng.choice(self.places(value))
        marker = "\u0001spoilt\u0001"
        new = self.rng.choice((
            *INTEGERS, *TEXTS, None, True, False, [], {}, 1.5, {"unknown": 1}, [[[]]], marker, marker))
        holder = value
        for key in at[:-1]:
            holder = holder[key]
        if not at:
            value = new
        elif isinstance(holder, dict) and self.rng.random() < 0.2:
            del holder[at[-1]]
        elif isinstance(holder, dict) and self.rng.random() < 0.15:
            holder["unknown_member"] = new
        else:
            holder[at[-1]] = new
        raw = self.rng.choice([numeral.encode() for numeral in NUMERALS] + [b'"' + bad + b'"' for bad in BROKEN_UTF8]
                              + [b'"\\ud800"', b'"\\u0000"', b'"\\x"', b'{"a":1,"a":2}', b"[" * 200 + b"]" * 200])
        request.body = json.dumps(value).encode().replace(json.dumps(marker).encode(), raw)
        request.why = f"value at /{'/'.join(map(str, at))} is {new!r:.40} or {raw[:20]!r}"
        return None

    def spoil_bytes(self, request):
        body = request.body or b"{}"
        cut = self.rng.randrange(0, len(body) + 1)
        name, request.body = self.rng.choice((
            ("cut", body[:cut]), ("doubled", body + body), ("BOM", b"\xef\xbb\xbf" + body), ("UTF-16", body.decode("latin-1").encode("utf-16")),
            ("flipped", body[:cut] + bytes([self.rng.randrange(256)]) + body[cut + 1:]), ("inserted", body[:cut] + b"\x00" + body[cut:]),
            ("wrapped", b"[" + body + b"]"), ("deep", b'{"jobs":' + b"[" * 5000 + b"]" * 5000 + b"}"), ("empty", b""), ("blank", b" \n"),
            ("comment", b"/* */" + body), ("quoted", json.dumps(body.decode("latin-1")).encode()), ("tail", body + b"x"),
            ("large", b'{"name":"' + b"a" * 300000 + b'"}')))
        request.why = f"body: {name} at {cut}"
