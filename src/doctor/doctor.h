/*
 * doctor - what stands between this machine and a working orchestrator, and how to mend it.
 *
 * Use      doctor_commands is a noun of the program. Each part below looks at one thing after the
 *          other and notes what it found; the command prints the notes.
 * Checks   the server as a client sees it; the machine; the files of the data folder; the ledger.
 *          All but the first need no server, and look only where settings or a data folder say
 *          that a ledger is (or will be) kept here.
 * Errors   a finding is never an error of the doctor: it goes on with the next one.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "cli/client.h"
#include "config/settings.h"
#include "ledger/ledger.h"

struct doctor {
    struct cli_call *call;
    json_t *findings;
    bool failed;
    bool warned;
    bool answers; /* The server does. */
    struct settings settings;
    const char *data;            /* Folder. */
    struct ledger_target target; /* Where the settings say that the ledger is. */
};

extern const struct cli_command doctor_commands[1];

/* One finding each; the first words of `found` say what was looked at. */
void doctor_ok(struct doctor *doctor, const char *check, const char *found, ...)
    __attribute__((format(printf, 3, 4)));
void doctor_warn(struct doctor *doctor, const char *check, const char *mend, const char *found, ...)
    __attribute__((format(printf, 4, 5)));
void doctor_fail(struct doctor *doctor, const char *check, const char *mend, const char *found, ...)
    __attribute__((format(printf, 4, 5)));

/* GET of a path: outside /api/v1 and without a token (`root`), or as whoever asks. */
int doctor_ask(struct doctor *doctor, const char *path, bool root, struct cli_reply *reply);
/* What the request that failed left, as a finding; `mend` null: its own hint. */
void doctor_refused(struct doctor *doctor, const char *check, const char *mend);

/* What it answers, its clock, its contract, this caller's token; then the next two. */
void doctor_server(struct doctor *doctor);
/* Its figures: queues, retention, connections. */
void doctor_figures(struct doctor *doctor);
/* Clocks and versions of the workers that were seen lately. */
void doctor_workers(struct doctor *doctor);
/* Circuit breakers that hold jobs. */
void doctor_breakers(struct doctor *doctor);
/* Limits, memory, the port, TLS. */
void doctor_machine(struct doctor *doctor);
/* The data folder, its disk, the token files, the blobs. */
void doctor_files(struct doctor *doctor);
/* Schema, durability, clock, due shards, the write-ahead log; PostgreSQL's settings. */
void doctor_ledger(struct doctor *doctor);

/* Whether files on a file system of this kind (f_type) are on another machine. */
bool doctor_is_network(int64_t kind);

#endif
