#!/usr/bin/env python3
"""House rules that compilers and clang-tidy do not know. usage: tools/tidy.py [--root DIR] [FILE]...

Each rule is a function below, with its reason. A place that is better off without a rule says so in
a comment on that line or the two before,

    /* tidy: RULE: the reason */          (in Python, shell and CMake: # tidy: RULE: the reason)

and a whole file with `tidy-file` instead of `tidy`. A waiver that waives nothing is an error too.
"""
import functools
import os
import re
import subprocess
import sys

FUNCTION_LINES = 70
FILE_LINES = 600

# Who may include whom: ARCHITECTURE.md, "Who may include whom". Every room may include itself,
# base/ and the code generated from contract/.
ROOMS = {
    "base": set(),
    "core": set(),
    "platform": set(),
    "redact": set(),
    "config": {"platform"},
    "ledger": {"core", "platform"},
    "engine": {"core", "ledger", "platform"},
    "query": {"core", "ledger", "platform"},
    "audit": {"core", "ledger"},
    "auth": {"core", "ledger", "platform"},
    "stream": {"engine/publish", "platform"},
    "notify": {"engine/publish", "platform"},
    "observe": {"engine/publish", "platform", "redact"},
    "http": {"platform"},
    "probe": {"core", "workers/fetch/fetch", "workers/lib/document"},
    "api": {"probe", "http", "engine", "query", "auth", "core", "observe", "config", "platform", "redact"},
    "worker": {"stella"},
    "cli": {"config", "platform"},
    "doctor": {"cli", "config", "ledger", "platform"},
    # What main is made of: the verbs that run the server put the parts together.
    "serve": {"api", "auth", "cli", "config", "core", "doctor", "engine", "http", "ledger", "observe", "platform", "query", "redact"},
}

# A library's header belongs to one or two rooms; elsewhere it is a dependency that spreads.
DRIVERS = {
    "sqlite3.h": ("src/ledger/sqlite/",),
    "libpq-fe.h": ("src/ledger/postgres/",),
    "microhttpd.h": ("src/http/",),
    "curl/curl.h": ("src/worker/", "src/cli/", "src/notify/", "src/observe/", "workers/"),
    "yaml.h": ("workers/", "src/cli/"),
    "zstd.h": ("src/ledger/", "src/audit/"),
    "lz4.h": ("src/ledger/", "src/audit/"),
    "libsmartcols.h": ("src/cli/",),
    "libsmartcols/libsmartcols.h": ("src/cli/",),
}

BANNED = {
    "strcpy": "memcpy with a length, or base/buf", "strcat": "base/buf", "stpcpy": "base/buf",
    "strncpy": "memcpy with a length", "strncat": "base/buf", "sprintf": "snprintf or base/buf",
    "vsprintf": "vsnprintf", "gets": "fgets", "strtok": "str_split", "strtok_r": "str_split",
    "atoi": "str_parse_i64", "atol": "str_parse_i64", "atoll": "str_parse_i64", "atof": "strtod",
    "system": "posix_spawn", "popen": "posix_spawn", "gmtime": "time_format",
    "gmtime_r": "time_format", "localtime": "time_format", "localtime_r": "time_format",
    "ctime": "time_format", "asctime": "time_format", "mktime": "time_parse",
    "rand": "a keyed hash", "random": "a keyed hash", "srand": "a keyed hash",
    "drand48": "a keyed hash", "alloca": "an arena", "setjmp": "an error code",
    "longjmp": "an error code", "tmpnam": "mkstemp", "mktemp": "mkstemp", "vfork": "posix_spawn",
}
CLOCKS = ("clock_gettime", "gettimeofday", "time", "clock", "ftime", "timespec_get")
LABEL = re.compile(r"^ \* .*[.;:] (Use|Owns|Threads|Bounds|Errors|Source|Order|Time) {2,}\S")
SLEEPS = ("sleep", "usleep", "nanosleep", "clock_nanosleep")
CLOCK_FOLDERS = ("src/platform/", "bench/", "tests/lib/", "tests/worker/", "tests/chaos/", "tests/e2e/", "tests/fuzz/", "workers/pipeline/")
CORE_HEADERS = {"assert.h", "limits.h", "inttypes.h", "stdbool.h", "stddef.h", "stdint.h",
                "stdalign.h", "stdarg.h", "string.h", "stdio.h", "stdlib.h", "jansson.h", "math.h"}
SQL = re.compile(r'"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE TABLE|ALTER TABLE)\s')
WAIVER = re.compile(r"tidy(-file)?: ([a-z-]+): (?!\*/)(\S.*?)\s*(?:\*/|$)")
TEXT = (".c", ".h", ".py", ".sh", ".sql", ".json", ".md", ".txt", ".cmake", ".yml", ".yaml", ".js",
        ".mjs", ".ts", ".tsx", ".in", "")


def blank(text, keep_strings=False):
    """C text with comments (and what strings hold) as spaces; lines stay where they are."""
    def spaces(match):
        token = match.group(0)
        if token[0] in "\"'" and keep_strings:
            return token
        middle = re.sub(r"[^\n]", " ", token)
        return token[0] + middle[1:-1] + token[-1] if token[0] in "\"'" else middle
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', spaces, text,
                  flags=re.S)


class File:
    """One file: its path below the root, its text, and for C the text without comments."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines = text.split("\n")
        if self.lines and not self.lines[-1]:
            self.lines.pop()
        self.is_c = path.endswith((".c", ".h"))
        self.code = blank(text).split("\n") if self.is_c else self.lines
        self.with_strings = blank(text, keep_strings=True).split("\n") if self.is_c else self.lines

    def room(self):
        parts = self.path.split("/")
        return parts[1] if parts[0] == "src" and len(parts) > 2 else None

    @functools.cached_property
    def includes(self):
        """(line, kind of bracket, name) of each."""
        return [(number, found.group(1), found.group(2)) for number, line in enumerate(self.with_strings, 1)
                if (found := re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line))]


def calls(file, names):
    """(line, name) for each call of a function of that name; members and own names are not."""
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
    for number, line in enumerate(file.code, 1):
        for found in pattern.finditer(line):
            if not re.match(r"\s*[\w *]+[\w*]\s+\*?$", line[:found.start()]) or \
                    re.search(r"\b(return|else|case)\s*$", line[:found.start()]):
                yield number, found.group(1)


def functions(file):
    """(first line, line of the brace, last line, text before the body) of each function."""
    head = None
    for number, line in enumerate(file.code, 1):
        if re.match(r"[A-Za-z_]", line) and (head is None or file.code[number - 2].strip()[-1:] not in (",", "(")):
            head = number
        if line.startswith("{") and head:
            start, signature = number, " ".join(file.code[head - 1:number - 1])
            end = next((n for n in range(number, len(file.code) + 1) if file.code[n - 1].startswith("}")), number)
            if "(" in signature and "=" not in signature.split("(")[0]:
                yield head, start, end, signature
            head = None


# --- rules: each yields (line, message) ------------------------------------------------------------

def rule_include(file, _):
    """Includes go down the layers only, so that a room can be understood and tested without those above."""
    if not file.is_c or not file.path.startswith(("src/", "include/", "workers/")):
        return
    room = file.room()
    for number, kind, name in file.includes:
        if "../" in name:
            yield number, f"{name}: name the path from src/"
        if kind == "<" or name.startswith(("contract/", "base/")):
            if name in DRIVERS and not file.path.startswith(DRIVERS[name]):
                yield number, f"<{name}> is for {', '.join(DRIVERS[name])} only"
            if room == "core" and kind == "<" and name not in CORE_HEADERS:
                yield number, f"core does no input or output: <{name}>"
            continue
        target = name.split("/")[0]
        if file.path.startswith("include/"):
            if target != "stella":
                yield number, f"an installed header may include stella/ only, not {name}"
        elif file.path.startswith("workers/"):
            if target not in ("workers", "stella", "platform"):
                yield number, f"the producers stand on the worker library, not on {name}"
        elif room is None:
            continue
        elif room not in ROOMS:
            yield number, f"room {room} has no row in tools/tidy.py ROOMS"
        elif target == room:
            yield from within_ledger(file, number, name)
        elif target not in ROOMS[room] and name.removesuffix(".h") not in ROOMS[room]:
            yield number, f"{room} may not include {name}"


def within_ledger(file, number, name):
    """The two backends do not know each other, and the port knows neither but by its verb table."""
    for backend, other in (("sqlite", "postgres"), ("postgres", "sqlite")):
        if file.path.startswith(f"src/ledger/{backend}/") and name.startswith(f"ledger/{other}/"):
            yield number, f"{backend} may not include {name}"
    if file.path.count("/") == 2 and name.startswith(("ledger/sqlite/", "ledger/postgres/")):
        yield number, f"the port may not include a backend: {name}"


def rule_banned(file, _):
    """Calls that overflow, keep hidden state or depend on the locale."""
    if file.is_c:
        for number, name in calls(file, BANNED):
            yield number, f"{name}(): use {BANNED[name]}"


def rule_clock(file, _):
    """Time is an argument; only platform reads it, so that a simulation can give any time."""
    if not file.is_c or file.path.startswith(CLOCK_FOLDERS):
        return
    for number, name in calls(file, CLOCKS):
        yield number, f"{name}(): only src/platform reads a clock"


def rule_sleep(file, _):
    """Sleeping tests are slow and still race; sleeping servers are late. A test looks again until a deadline: what sleeps
    between two looks stands in the function that has it. Chaos kills at random times, and bench measures them."""
    if file.is_c and not file.path.startswith(("src/platform/", "bench/")):
        for number, name in calls(file, SLEEPS):
            yield number, f"{name}(): wait for the event instead"
    if file.path.endswith(".py") and file.path.startswith("tests/") and not file.path.startswith("tests/chaos/"):
        for number, line in enumerate(file.code, 1):
            if re.search(r"(?<![\w.])(time\.)?sleep\(", line) and not any("deadline" in before for before in above(file, number)):
                yield number, "sleep(): wait for the event, or look again until a deadline"


def above(file, number):
    """The lines of the Python function that a line is in, up to it."""
    indent = len(file.code[number - 1]) - len(file.code[number - 1].lstrip())
    for line in reversed(file.code[:number - 1]):
        yield line
        if re.match(r"\s*def ", line) and len(line) - len(line.lstrip()) < indent:
            return


def rule_sql(file, _):
    """SQL lives in .sql files, where both backends have the same names and a test prepares them all."""
    if file.is_c and file.path.startswith("src/"):
        for number, line in enumerate(file.with_strings, 1):
            if SQL.search(line):
                yield number, "SQL in a C string; name it in a .sql file"


def rule_size(file, _):
    """A function of 70 lines or a file of 600 holds more than one thought."""
    if not file.is_c:
        return
    if len(file.lines) > FILE_LINES:
        yield 1, f"{len(file.lines)} lines, more than {FILE_LINES}: split it by concept"
    for head, start, end, _signature in functions(file):
        if end - start > FUNCTION_LINES:
            yield head, f"function of {end - start} lines, more than {FUNCTION_LINES}"


def rule_labels(file, _):
    """The labels of a header's first comment (Use, Owns, Threads ...) each begin a line; text goes on below the text."""
    if not file.path.endswith(".h"):
        return
    for number, line in enumerate(file.lines, 1):
        if LABEL.search(line):
            yield number, "a label begins a line of its own"
        if "*/" in line:
            return


def rule_built(file, tree):
    """A source that no CMakeLists.txt names is not compiled by anybody."""
    if not file.path.endswith(".c"):
        return
    folder = os.path.dirname(file.path)
    while True:
        listing = tree.get(os.path.join(folder, "CMakeLists.txt") if folder else "CMakeLists.txt")
        if listing:
            below = os.path.relpath(file.path, folder or ".")
            if file.path.startswith("tests/lib/") and any(  # Shared by the tests that need it.
                    "../lib/" + below.rpartition("/")[2] in other.text
                    for name, other in tree.items() if name.endswith("CMakeLists.txt")):
                return
            names = listing.text if "/" in below else re.sub(r"\S+/(?=\S)", "/", listing.text)
            if re.search(r"(?<![\w/-])" + re.escape(below) + r"(?![\w-])", names):
                return
            # foreach(name a b) ... ${name}_test.c
            for ending in re.findall(r"\$\{\w+\}(\S*\.c)\b", listing.text):
                if below.endswith(ending) and re.search(r"\b" + re.escape(below.removesuffix(ending)) + r"\b", listing.text):
                    return
        if not folder:
            break
        folder = os.path.dirname(folder)
    yield 1, "no CMakeLists.txt names this file"


def rule_prefix(file, tree):
    """A name that other rooms use begins with a word of its file's, its folder's or one of its types' names."""
    if not file.path.startswith("src/") or not file.path.endswith(".c") or file.room() is None:
        return
    stem = os.path.basename(file.path)[:-2]
    known = {*stem.split("_"), *(word for folder in file.path.split("/")[1:-1] for word in folder.split("_"))}
    headers = [path for path in tree if path.endswith(".h") and os.path.dirname(path) == os.path.dirname(file.path)]
    for header in headers:
        known |= set(re.findall(r"\b(?:struct|enum)\s+([a-z][a-z0-9]*)\w*\s*[{;]", "\n".join(tree[header].code)))
        # A header of two concepts names the other one in its first sentence ("threads, locks and ...").
        known |= {re.sub(r"(?<=x)es$|s$", "", word) for word in re.findall(r"[a-z]+", " ".join(tree[header].lines[:2]))}
    known |= {word + "s" for word in known} | ({"stella"} if file.room() == "worker" else set())
    for head, _start, _end, signature in functions(file):
        signature = re.sub(r"__attribute__\s*\(\(.*?\)\)+", "", signature)
        if re.match(r"\s*(?:static|int main)\b", signature):
            continue
        name = re.search(r"(\w+)\s*\(", signature).group(1)
        if name.split("_")[0] not in known and tree.used_outside(name, headers):
            yield head, f"{name}() begins with no word of {stem}, its folder or its types"


def rule_header(file, _):
    """A header begins by saying what it is, and can be included twice."""
    if not file.path.endswith(".h") or not file.path.startswith(("src/", "include/", "workers/")):
        return
    if not re.match(r"/\*(?:\n \*)? \S+ - \S", file.text):
        yield 1, "begin with a comment `room/name - one sentence`"
    if not re.search(r"^#ifndef \w+_H\n#define \w+_H$", file.text, re.M):
        yield 1, "no include guard"


def rule_left(file, _):
    """What is left undone is an issue, not a remark that everybody learns to overlook."""
    if file.path.endswith(TEXT_CODE):
        for number, line in enumerate(file.lines, 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line) and "tools/tidy" not in file.path:
                yield number, "finish it, or make it an issue"


TEXT_CODE = (".c", ".h", ".py", ".sh", ".sql", ".cmake", "CMakeLists.txt", ".js", ".mjs", ".ts", ".tsx")


def rule_path(file, tree):
    """A path of one machine works on that machine."""
    if file.path.endswith("package-lock.json"):
        return
    home = re.compile(r"(?<![\w.])/(?:home/(?!\$|<)\w+|root|Users/\w+)/")
    for number, line in enumerate(file.lines, 1):
        if home.search(line) or (tree.outside and tree.outside in line):
            yield number, "a path of this machine"


def rule_link(file, tree):
    """A link in a document leads somewhere."""
    if not file.path.endswith(".md"):
        return
    for number, line in enumerate(file.lines, 1):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
            if re.match(r"[a-z]+:", target):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(file.path), target))
            if path not in tree.names and not any(name.startswith(path + "/") for name in tree):
                yield number, f"{target} is not there"


def rule_index(file, tree):
    """A page that the index does not name is not found by readers."""
    if file.path != "docs/README.md":
        return
    for name in sorted(tree):
        if name.startswith("docs/") and name.endswith(".md") and name != file.path and f"({name[5:]})" not in file.text:
            yield 1, f"does not name {name}"


RULES = {name.removeprefix("rule_"): rule for name, rule in list(globals().items()) if name.startswith("rule_")}


# --- running them ----------------------------------------------------------------------------------

class Tree(dict):
    """The texts by path; `names` are those of all files, pictures too; `outside` is the folder around the checkout,
    when it is telling."""
    outside = None

    def __init__(self, *files):
        super().__init__(*files)
        self.names = set(self)

    def used_outside(self, name, headers):
        """Whether a header that declares the name is included from another folder of src/."""
        for header in headers:
            if not re.search(r"\b" + name + r"\(", "\n".join(self[header].code)):
                continue
            for path, file in self.items():
                if path.startswith("src/") and os.path.dirname(path) != os.path.dirname(header) and \
                        any("src/" + target == header for _, _, target in file.includes):
                    return True
        return False


def waived(file, rule, number, used):
    for at in range(len(file.lines)):
        found = WAIVER.search(file.lines[at])
        if found and found.group(2) == rule and (found.group(1) or number - 2 <= at + 1 <= number):
            used.add(at + 1)
            return True
    return False


def check(file, tree):
    """All findings in one file, as (path, line, rule, message)."""
    used = set()
    for name, rule in RULES.items():
        for number, message in rule(file, tree):
            if not waived(file, name, number, used):
                yield file.path, number, name, message
    for number, line in enumerate(file.lines, 1):
        found = WAIVER.search(line)
        if found and number not in used and file.path.endswith(TEXT_CODE) and "tools/tidy" not in file.path:
            yield file.path, number, "waiver", f"waives nothing: {found.group(2)}"


def load(root):
    tree = Tree()
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout.split("\n")
    for path in filter(None, listed):
        tree.names.add(path)
        full = os.path.join(root, path)
        if os.path.splitext(path)[1] not in TEXT or not os.path.isfile(full) or "/corpus/" in path:
            continue
        with open(full, encoding="utf-8", errors="replace") as file:
            tree[path] = File(path, file.read())
    parent = os.path.dirname(os.path.realpath(root))
    tree.outside = parent + "/" if parent.count("/") > 1 or parent not in ("/", "/tmp", "/src") else None
    return tree


def main(arguments):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if arguments[:1] == ["--root"]:
        root, arguments = arguments[1], arguments[2:]
    tree = load(root)
    findings = [found for path in sorted(arguments or tree) for found in check(tree[path], tree)]
    for path, number, rule, message in findings:
        print(f"{path}:{number}: {rule}: {message}")
    if not findings:
        print(f"{len(tree)} files, {len(RULES)} rules")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
