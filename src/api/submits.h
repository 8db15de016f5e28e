/*
 * api/submits - jobs as they are sent, alone or in a run.
 */
#ifndef API_SUBMITS_H
#define API_SUBMITS_H

#include "api/call.h"
#include "api/scan.h"

enum { ITEM_ERRORS_MAX = 100, PRIORITY_MAX = 100 };

/* What was sent, and what is wrong with it. */
struct submission {
    struct arena *arena;
    bool is_run;
    VEC(struct submit_item) items;
    VEC(struct needs_text) needs; /* Runs: of all items, in order. */
    VEC(struct call_error) errors;
};

/* An edge by name, before names are looked up. */
struct needs_text {
    size_t item;
    size_t index; /* Within the item. */
    struct str job;
    enum edge_kind kind;
};

/* Reads the value of "jobs". */
void submission_scan(struct submission *s, struct scan *scan, size_t max);
/* Notes that something is wrong with an item, up to ITEM_ERRORS_MAX times. */
void submission_refuse(struct submission *s, enum err_code code, struct str pointer,
                       const char *detail);
/* Answers with call->err or what is wrong with items; false when nothing is. */
bool submission_failed(struct call *call, struct submission *s, enum err_code code);
/* Answers with what core said of an item (or of none, when `at` is `count`). */
void submission_fail_at(struct call *call, const struct err *err, size_t at, size_t count);
/* Sends a RUN_SUBMIT and answers with the run that it made. */
void run_submit_send(struct call *call, struct command *command);
/* Which member of an item an error of core is about. */
const char *submission_member(enum err_code code);

#endif
