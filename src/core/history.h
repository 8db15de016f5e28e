/*
 * core/history - writes the lines of a tenant's history.
 *
 * Use      struct json_writer *w = history_begin(...); JSON_…(w, …) facts with ascending keys;
 *          history_end(). The catalogue of types and their facts: contract/history.json.
 * Bounds   a line is at most HISTORY_LINE_MAX bytes; what could be longer is split by its caller.
 */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include "base/json.h"
#include "core/command.h"

enum { HISTORY_LINE_MAX = 16 * 1024 };

struct history_line {
    struct facts *facts;
    struct tenant_facts *tenant;
    struct json_writer w;
    const char *type;
    struct job_id job; /* 0 for none. */
    int32_t job_seq;
    size_t from; /* Where the line begins. */
};

/* Begins a line about the tenant; its facts object is open. `actor` as struct command's. */
struct json_writer *history_begin(struct history_line *line, struct facts *facts,
                                  struct tenant_facts *t, struct str actor, const char *type);
/* The same about a job: counts carry->job_seq up. */
struct json_writer *history_begin_job(struct history_line *line, struct facts *facts,
                                      struct tenant_facts *t, struct str actor, const char *type,
                                      struct job_id job, struct carry *carry);
/* Ends it; returns its seq. */
int64_t history_end(struct history_line *line);

/* A digest as hexadecimal text; null when it is empty. */
void history_digest(struct json_writer *w, struct str key, struct str digest);

#endif
