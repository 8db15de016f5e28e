#!/usr/bin/env python3
"""Help is there for everything, and the reference page says what the program says."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from rig import PROGRAM, ROOT, stella

REFERENCE = os.path.join(ROOT, "docs", "reference", "cli.md")


def nodes():
    """Every (noun, verb) and noun of the table, from the generated page."""
    _, page, _ = stella("help", "--markdown")
    found = [tuple(heading.split()) for heading in re.findall(r"^###? (.+)$", page, re.M)]
    return [node for node in found if node[0] != "help" or len(node) == 1]


class Help(unittest.TestCase):
    maxDiff = None

    def test_the_reference_page_is_what_the_program_prints(self):
        with open(REFERENCE, encoding="utf-8") as file:
            self.assertEqual(file.read(), stella("help", "--markdown")[1],
                             "run: stella help --markdown > docs/reference/cli.md")

    def test_every_noun_and_verb_has_help_with_an_example(self):
        self.assertGreater(len(nodes()), 40)
        for node in nodes():
            for words in (node, ("orchestrator", *node)):
                status, out, err = stella(*words, "--help")
                self.assertEqual((0, ""), (status, err), words)
                self.assertRegex(out, r"\nExamples:\n  \S", words)
                self.assertRegex(out, r"\nUsage:\n  stella orchestrator " + node[0])

    def test_every_example_parses(self):
        for node in nodes():
            _, out, _ = stella(*node, "--help")
            examples = re.search(r"\nExamples:\n((?:  .+\n)+)", out).group(1).splitlines()
            for example in examples:
                self.assertIn("stella ", example)
                self.assertLessEqual(len(example), 140)

    def test_every_operation_of_the_contract_has_its_verb(self):
        with open(os.path.join(ROOT, "contract", "openapi.json"), encoding="utf-8") as file:
            paths = json.load(file)["paths"]
        verbs = {operation.get("x-stella-cli") for operations in paths.values() for operation in operations.values()}
        self.assertGreater(len(verbs), 30)
        for verb in verbs - {None}:
            self.assertEqual(0, stella(*verb.split(), "--help")[0], verb)

    def test_every_runbook_that_is_named_is_there(self):
        with open(os.path.join(ROOT, "contract", "errors.json"), encoding="utf-8") as file:
            named = {error["runbook"] + ".md" for error in json.load(file)["errors"] if "runbook" in error}
        sources = subprocess.run(["git", "grep", "-ohE", "docs/operate/[a-z-]+[.]md", "--", "src"], cwd=ROOT, capture_output=True,
                                 text=True, check=True).stdout
        named |= {os.path.basename(path) for path in sources.split()}
        self.assertGreater(len(named), 8)
        self.assertLessEqual(named, set(os.listdir(os.path.join(ROOT, "docs", "operate"))))

    def test_an_error_names_its_runbook(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as token:
            token.write("stl_x\n")
            token.flush()
            status, _, err = stella("whoami", "--server", "http://127.0.0.1:9", "--token-file", token.name)
        self.assertEqual(7, status)
        self.assertIn("\nsee: docs/operate/doctor.md\n", err)

    def test_nothing_given_shows_help(self):
        status, out, _ = stella()
        self.assertEqual(0, status)
        self.assertIn("Commands:", out)
        status, out, err = stella("jobs")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("Verbs:", err)

    def test_unknown_words_exit_2_with_a_suggestion(self):
        for words, hint in ((["job-type", "lits"], "list"), (["rusn", "list"], "runs"), (["jobs", "list", "--stat", "x"], "--state")):
            status, out, err = stella(*words)
            self.assertEqual((2, ""), (status, out))
            self.assertIn(f"did you mean {hint}?", err)

    def test_topics(self):
        for topic in ("exit-codes", "environment", "output", "jobs"):
            self.assertEqual(0, stella("help", topic)[0])
        self.assertEqual(2, stella("help", "nonsense")[0])

    def test_version(self):
        self.assertRegex(stella("version")[1], r"^stella \d+\.\d+\.\d+\n$")
        self.assertRegex(stella("version", "-o", "json")[1], r'^\{"name":"stella","version":"\d+\.\d+\.\d+"\}\n$')

    def test_a_server_that_is_not_there_exits_7(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as token:
            token.write("stl_x\n")
            token.flush()
            status, out, err = stella("whoami", "--server", "http://127.0.0.1:9", "--token-file", token.name)
            self.assertEqual((7, ""), (status, out))
            self.assertIn("hint: is it running?", err)

    def complete(self, *words):
        """What bash offers for the last word."""
        script = subprocess.run(["bash", "-c", 'source <("$1" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                                 '_stella; printf "%s\\n" "${COMPREPLY[@]}"', "bash", PROGRAM, *words],
                                capture_output=True, text=True, check=True)
        return script.stdout.split()

    def test_bash_completes_nouns_verbs_options_and_values(self):
        self.assertIn("jobs", self.complete("jo"))
        self.assertIn("job-types", self.complete("orchestrator", "jo"))
        self.assertEqual(["cancel"], self.complete("jobs", "can"))
        self.assertEqual(["--exit-status"], self.complete("runs", "watch", "--ex"))
        self.assertIn("--tenant", self.complete("runs", "watch", "run-1", "--te"))
        self.assertEqual(["json", "jsonl"], self.complete("runs", "list", "-o", "js"))
        self.assertEqual([], self.complete("nonsense", "x"))

    def test_every_shell_has_a_script_that_asks_the_program(self):
        for shell in ("bash", "zsh", "fish"):
            status, script, _ = stella("completion", shell)
            self.assertEqual(0, status)
            self.assertIn("__complete", script)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=script, text=True, check=True)
        self.assertEqual(2, stella("completion", "tcsh")[0])
        self.assertNotIn("__complete", stella("help")[1])

    def test_every_noun_has_a_man_page_without_a_warning(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(0, stella("help", "--man-pages", folder)[0])
            pages = sorted(os.listdir(folder))
            self.assertEqual(len({node[0] for node in nodes()}) + 1, len(pages))
            for page in pages:
                path = os.path.join(folder, page)
                made = subprocess.run(["groff", "-k", "-man", "-Tutf8", "-ww", path], capture_output=True, text=True, check=True)
                self.assertEqual("", made.stderr, page)
                self.assertIn("stella", made.stdout)
            for noun, verb in (node for node in nodes() if len(node) == 2):
                with open(os.path.join(folder, f"stella-{noun}.1"), encoding="utf-8") as file:
                    self.assertIn(".SS " + verb.replace("-", "\\-"), file.read())


if __name__ == "__main__":
    unittest.main()
