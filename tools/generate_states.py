#!/usr/bin/env python3
"""contract/job_states.json -> job_states.h (C) or job-states.md (reference).  usage: generate_states.py h|md CONTRACT OUT"""
import json
import sys


def enum(name, prefix, rows, first=None):
    lines = [f"enum {name} {{"]
    if first:
        lines.append(f"    {prefix}_{first},")
    lines += [f"    {prefix}_{row['name'].upper()}," for row in rows]
    return lines + [f"    {prefix}_COUNT", "};", ""]


def names(macro, prefix, rows, first=None):
    entries = ([f'[{prefix}_{first}] = "{first.lower()}"'] if first else [])
    entries += [f'[{prefix}_{row["name"].upper()}] = "{row["name"]}"' for row in rows]
    return [f"#define {macro} {{ \\"] + [f"    {entry}, \\" for entry in entries] + ["}", ""]


def events(transitions):
    return [{"name": name} for name in dict.fromkeys(t["event"] for t in transitions)]


def header(c):
    moves = events(c["transitions"])
    lines = ["/* Generated from contract/job_states.json. */", "#ifndef CONTRACT_JOB_STATES_H",
             "#define CONTRACT_JOB_STATES_H", ""]
    lines += enum("job_state", "JOB", c["states"], "NONE")
    lines += enum("job_event", "EVENT", moves)
    lines += enum("run_state", "RUN", c["run_states"])
    lines += enum("hold_reason", "HOLD", c["holds"])
    lines += names("JOB_STATE_NAMES", "JOB", c["states"], "NONE")
    lines += names("JOB_EVENT_NAMES", "EVENT", moves)
    lines += names("RUN_STATE_NAMES", "RUN", c["run_states"])
    lines += names("HOLD_NAMES", "HOLD", c["holds"])
    ended = " | ".join(f"1U << JOB_{s['name'].upper()}" for s in c["states"] if s["ended"])
    lines += [f"#define JOB_ENDED_MASK ({ended})", "",
              "/* ROW(from, event, mask of states it may lead to) */", "#define JOB_TRANSITIONS(ROW) \\"]
    for t in c["transitions"]:
        mask = " | ".join(f"1U << JOB_{to.upper()}" for to in t["to"])
        lines.append(f"    ROW(JOB_{t['from'].upper()}, EVENT_{t['event'].upper()}, {mask}) \\")
    lines[-1] = lines[-1][:-2]
    return "\n".join(lines + ["", "#endif", ""])


def reference(c):
    lines = ["# Job states", "", "Generated from `contract/job_states.json`.", "",
             "| state | ended | meaning |", "|---|---|---|"]
    lines += [f"| `{s['name']}` | {'yes' if s['ended'] else 'no'} | {s['meaning']} |" for s in c["states"]]
    lines += ["", "| from | event | to | history line |", "|---|---|---|---|"]
    lines += [f"| {t['from']} | {t['event']} | {', '.join(t['to'])} | `{t['history']}` |" for t in c["transitions"]]
    lines += ["", "## Run states", "", "| state | meaning |", "|---|---|"]
    lines += [f"| `{s['name']}` | {s['meaning']} |" for s in c["run_states"]]
    lines += ["", "## Holds", "", "| reason | meaning |", "|---|---|"]
    lines += [f"| `{s['name']}` | {s['meaning']} |" for s in c["holds"]]
    return "\n".join(lines + [""])


def main():
    kind, source, target = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        contract = json.load(file)
    text = header(contract) if kind == "h" else reference(contract)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


main()
