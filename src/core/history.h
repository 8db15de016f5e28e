/*
 * core/history - writes the lines of a tenant's history, and of a shard's log.
 *
 * A tenant's history says nothing that depends on other tenants: it is the same in whatever
 * company. What a decision took from others (how far they are served, what a node offered) stands
 * in the shard's log, which is the operator's.
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
    struct history_log *log;
    struct row *row;   /* The one that counts the lines, in *head_seq. */
    int64_t *head_seq; /* Last seq written. */
    struct str tenant; /* Whose it is; empty: the shard's. */
    int16_t shard;
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
/* Begins a line of the shard's log. */
struct json_writer *history_begin_shard(struct history_line *line, struct facts *facts,
                                        int16_t shard, struct str actor, const char *type);
/* Ends it; returns its seq. */
int64_t history_end(struct history_line *line);

/* A digest as hexadecimal text; null when it is empty. `member` as JSON_MEMBER() makes it. */
void history_digest(struct json_writer *w, struct str member, struct str digest);

#endif
