/* What the server's figures say: queues, retention, connections. */
#include <stdlib.h>
#include <string.h>

#include "doctor/doctor.h"
#include "platform/clock.h"

enum {
    WAITING_S = 900,
    WAITING_MAX_S = 86400 * 365,
    LATE_INTERVALS = 3, /* Of retention; */
    LATE_LEAST_S = 600, /* shorter ones are for tests. */
    FILES_BESIDE = 64,  /* Of the ledger, logs and libraries, beside connections. */
};

/* The largest value of a family in the text that scrapers read; -1: it has none. `family` ends with
 * '{' or ' '. */
static double largest(struct str text, const char *family)
{
    double most = -1;
    struct str line;
    while (str_split(&text, '\n', &line)) {
        size_t at = line.len;
        while (at > 0 && line.ptr[at - 1] != ' ') {
            at--;
        }
        char number[32] = "";
        if (str_starts(line, str_from(family)) && line.len - at < sizeof(number)) {
            memcpy(number, line.ptr + at, line.len - at);
            const double value = strtod(number, NULL);
            most = value > most ? value : most;
        }
    }
    return most;
}

static void check_queues(struct doctor *doctor, struct str text, int64_t waiting_s)
{
    const double oldest = largest(text, "stella_oldest_waiting_seconds{");
    const bool is_waiting = largest(text, "stella_jobs_waiting{") > 0;
    const bool is_worked = largest(text, "stella_jobs_leased{") > 0;
    if (is_waiting && !is_worked && oldest >= (double)waiting_s) {
        doctor_warn(doctor, "queues", "docs/operate/jobs-wait.md: start workers of their types",
                    "jobs wait, the oldest for %.0f s, and no worker holds any", oldest);
    } else if (oldest < 0) {
        doctor_ok(doctor, "queues", "no job waits");
    } else {
        doctor_ok(doctor, "queues", "the oldest waiting job waits for %.0f s", oldest);
    }
}

/* A run goes on until nothing is left, so what is behind shows as a run that does not end. */
static void check_retention(struct doctor *doctor, struct str text)
{
    const double interval_s = largest(text, "stella_retention_interval_seconds ");
    const double last = largest(text, "stella_retention_last_run_timestamp_seconds ");
    const double failures = largest(text, "stella_retention_failures_total ");
    const double late_s =
        interval_s * LATE_INTERVALS > LATE_LEAST_S ? interval_s * LATE_INTERVALS : LATE_LEAST_S;
    const double since_s = (double)(clock_wall().us / US_PER_S) - last;
    if (interval_s < 0) {
        return; /* A server that does not tell. */
    }
    if (interval_s == 0) {
        doctor_ok(doctor, "retention", "this node makes none: another one has to");
    } else if (last <= 0 && failures > 0) {
        doctor_warn(doctor, "retention",
                    "the server's log says why (event retention); then docs/operate/disk-full.md",
                    "%.0f runs failed and none ended: nothing is removed", failures);
    } else if (last > 0 && since_s > late_s) {
        doctor_warn(doctor, "retention",
                    "the server's log says why (event retention); then docs/operate/disk-full.md",
                    "the last whole run ended %.0f s ago, one is due every %.0f s", since_s,
                    interval_s);
    } else if (last <= 0) {
        doctor_ok(doctor, "retention", "the first run comes within %.0f s of the start",
                  interval_s);
    } else {
        doctor_ok(doctor, "retention", "the last whole run ended %.0f s ago", since_s);
    }
}

static void check_connections(struct doctor *doctor, struct str text)
{
    const double may = largest(text, "process_max_fds ");
    const double wanted = largest(text, "stella_http_connections_max ");
    const double open = largest(text, "stella_http_connections ");
    if (may < 0 || wanted < 0) {
        return; /* A server that does not tell. */
    }
    if (may < wanted + FILES_BESIDE) {
        doctor_warn(doctor, "sockets",
                    "raise LimitNOFILE= of the unit (or ulimit -n), or lower http_connections",
                    "the server may open %.0f files, http_connections wants %.0f", may,
                    wanted + FILES_BESIDE);
    } else if (open * 10 > wanted * 9) {
        doctor_warn(doctor, "sockets", "raise http_connections; see who holds them (ss -tnp)",
                    "%.0f of %.0f connections are open", open, wanted);
    } else {
        doctor_ok(doctor, "sockets", "%.0f of %.0f connections are open", open, wanted);
    }
}

void doctor_figures(struct doctor *doctor)
{
    struct cli_reply reply;
    int64_t waiting_s = WAITING_S;
    if (cli_number(doctor->call, "waiting-s", 0, WAITING_MAX_S, &waiting_s) != CLI_OK ||
        doctor_ask(doctor, "/metrics", true, &reply) != CLI_OK) {
        doctor_refused(doctor, "queues", NULL);
        return;
    }
    json_decref(reply.json);
    check_queues(doctor, reply.body, waiting_s);
    check_retention(doctor, reply.body);
    check_connections(doctor, reply.body);
}
