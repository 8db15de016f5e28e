"""One client that keeps what was acknowledged to it."""
import threading


class Load(threading.Thread):
    """Submits one job after another and keeps what was acknowledged."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.acknowledged, self.statuses, self.end = node, [], set(), False

    def run(self):
        number = 0
        while not self.end:
            number += 1
            try:
                answer = self.node.call("POST", "/jobs", {"jobs": [{"type": "demo", "key": f"{self.name}-{number}"}]}, tenant="acme",
                                        timeout=120)
            except OSError:
                continue
            self.statuses.add(answer.status)
            if answer.status == 201:
                self.acknowledged.append((f"{self.name}-{number}", answer.json["jobs"][0]["id"]))
            elif answer.status == 503:
                assert int(answer.headers["Retry-After"]) >= 1 and answer.code in ("ledger_unavailable", "shutting_down", "overloaded")
