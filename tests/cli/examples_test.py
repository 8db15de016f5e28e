#!/usr/bin/env python3
"""Every operation of the contract has a verb, every verb examples, and every example does what it says on a real server."""
import json
import os
import re
import signal
import subprocess
import unittest

from rig import PROGRAM, ROOT, Rig, clean_environment, stella

# Need what a test does not have (a database called db), or go on for ever as a server; the guides run serve.
ELSEWHERE = ("serve --data", "serve --database")
# Done before an example of that verb, so that it finds the state that it is for.
BEFORE = {
    "jobs retry": ["jobs cancel job-17 --reason test", "jobs cancel job-18 --reason test"],
    "jobs replay": ["jobs cancel job-17 --reason test"],
    "jobs cancel": ["jobs retry job-17 --reason test"],
    "jobs prioritise": ["jobs retry job-17 --reason test"],
    "throttles clear": ["throttles set osv.example.org --block 10m --reason test"],
    "sources enable": ["sources disable osv --reason test"],
    "sources trigger": ["sources enable osv --reason test", "sources put osv --kind advisory-osv --url https://osv.example.org/all"],
}
# What an example may end with beside 0, and why.
OTHERWISE = {
    "doctor --data ./stella-data --offline --strict": {0, 1, 12},  # Says what it thinks of the machine.
    "doctor": {0, 1},
    'bulk cancel bulk-2 --reason "wrong filter"': {0, 5},  # It goes on by itself and may have ended.
    "doctor --server http://10.0.0.7:8700 -o json": {0, 1},
}
FILES = {
    "source.json": {"kind": "other", "url": "https://osv.example.org/b"},
    "type.json": {"max_attempts": 3},
    "body.json": {"day": "2026-01-31"},
    "jobs.json": [{"type": "t"}, {"type": "t"}],
    "bom.json": {"bom": []},
    "run.json": {"name": "nightly", "jobs": [{"name": "fetch", "type": "r"}, {"name": "match", "type": "r", "needs": [{"job": "fetch"}]}]},
}
PATIENCE_S = 3


def page_examples():
    """(noun and verb, example) of every verb."""
    with open(os.path.join(ROOT, "docs", "reference", "cli.md"), encoding="utf-8") as file:
        text = file.read()
    found = []
    for usage, block in re.findall(r"\nUsage:\n  stella orchestrator ([^\n]*)\n.*?\nExamples:\n((?:  [^\n]+\n)+)", text, re.S):
        words = [word for word in usage.split() if re.fullmatch(r"[a-z-]+", word)]
        if usage.startswith("NOUN"):
            continue  # Of the whole program; its examples are those of the verbs.
        found += [(" ".join(words[:2]), line.strip()) for line in block.splitlines()]
    return found


class Examples(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.folder = os.path.join(self.rig.folder.name, "home")
        names = os.path.join(self.folder, "bin")
        for path in (names, ".stella", ".zfunc", ".config/fish/completions", ".local/share/bash-completion/completions"):
            os.makedirs(os.path.join(self.folder, path))
        os.symlink(PROGRAM, os.path.join(names, "stella"))
        os.symlink(self.rig.server.data, os.path.join(self.folder, ".stella", "data"))
        self.environment = clean_environment(PATH=names + ":" + os.environ["PATH"], HOME=self.folder, STELLA_TENANT="acme",
                                             STELLA_SERVER=self.rig.environment["STELLA_SERVER"])
        for name, content in FILES.items():
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                json.dump(content, file)
        self.make_world()

    def make_world(self):
        """What the examples speak of: job-17, run-4, tok-3, the source osv …"""
        for command in ("tenants add acme", "quotas policy shared proportional --capacity 40 --reason test", *(f"job-types put {name}" for name in ("t", "r", "report.build", "advisory.ingest")),
                        "job-types put report.build --max-attempts 2", "job-types put image.scan --services scanner",
                        "sources put osv --kind other --url https://osv.example.org/a", "sources put osv-debian --kind other --url https://osv.example.org/d",
                        *["runs submit -f run.json"] * 3, *["jobs submit -f jobs.json"] * 8,
                        "runs submit -f run.json", "tokens add one --scopes orch:read", "tokens add two --scopes orch:read"):
            status, _, err = self.run_line("stella " + command)
            self.assertEqual(0, status, command + err)
        digest = self.run_line("touch empty && stella artifacts upload empty")[1].strip()
        lease = self.rig.claim("t", 1)[0]
        self.rig.work("/leases/complete", {"worker": "w", "reports": [
            {"lease": lease["lease"], "grant": lease["grant"], "artifacts": [{"name": "empty", "sha256": digest, "size": 0}]}]})

        self.run_line("stella tokens add own --scopes orch:work -T acme --out acme.token")
        self.rig.work("/workers/register", {"worker": "build-7/1", "version": "1", "slots": 2, "job_types": ["t"]},
                      os.path.join(self.folder, "acme.token"))

    def failed_run(self):
        """A run whose first job succeeded and whose second one is dead."""
        self.run_line("for run in $(stella runs list --state active -o name); do stella runs cancel $run --reason test --yes; done")
        run = self.run_line("stella runs submit -f run.json -o name")[1].strip()
        self.rig.complete(self.rig.claim("r"))
        self.rig.fail(self.rig.claim("r"))
        return run

    def run_line(self, line):
        """(exit status, stdout, stderr); what goes on until it is interrupted is interrupted."""
        line = re.sub(r"http://(10\.0\.0\.7|127\.0\.0\.1):8700", self.rig.environment["STELLA_SERVER"], line)
        child = subprocess.Popen(["bash", "-c", line], cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = child.communicate(timeout=PATIENCE_S if re.search("watch|--follow", line) else 60)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGINT)
            out, err = child.communicate(timeout=30)
            return 0, out, err
        return child.returncode, out, err

    def test_every_operation_has_examples_and_all_of_them_work(self):
        with open(os.path.join(ROOT, "contract", "openapi.json"), encoding="utf-8") as file:
            operations = {operation["x-stella-cli"]: operation["operationId"] for path in json.load(file)["paths"].values()
                          for operation in path.values() if isinstance(operation, dict) and operation.get("x-stella-cli")}
        examples = page_examples()
        self.assertGreater(len(examples), 90)
        done = set()
        for verb, example in examples:
            command = example.replace("stella orchestrator ", "stella ").split("stella ", 1)[1]
            if command.startswith(ELSEWHERE):
                continue
            for before in BEFORE.get(verb, ()):
                self.run_line("stella " + before)
            if command == "tenants add acme" or command.startswith("tenants add acme "):
                example = example.replace("add acme", f"add acme{len(done)}")
            if verb in ("runs retry", "runs replay"):
                example = example.replace("run-4", self.failed_run())
            with self.subTest(verb=verb, example=example):
                status, out, err = self.run_line(example)
                self.assertIn(status, OTHERWISE.get(command, {0}), out + err)
                done.add(verb)
        aliases = {name: self.verb_of(name) for name in operations}
        self.assertEqual({}, {operations[name]: name for name, verb in aliases.items() if verb not in done})

    def verb_of(self, name):
        """"job-types add" is an alias: the usage names the verb itself."""
        usage = re.search(r"\nUsage:\n  stella orchestrator ([^\n]*)", stella(*name.split(), "--help")[1]).group(1)
        return " ".join([word for word in usage.split() if re.fullmatch(r"[a-z-]+", word)][:2])


if __name__ == "__main__":
    unittest.main()
