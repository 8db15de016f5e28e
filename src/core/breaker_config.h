/*
 * core/breaker_config - the parameters of one service's breaker, parsed from their JSON.
 *
 * Use      breaker_config_parse() checks a body from outside and gives its canonical form, with
 *          every default; breaker_config_of() reads a row's body, which was checked.
 * Owns     everything lies in the arena given.
 * Bounds   as the table in breaker_config.c says; unknown members are refused.
 */
#ifndef CORE_BREAKER_CONFIG_H
#define CORE_BREAKER_CONFIG_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { BREAKER_PROBES_MAX = 10, BREAKER_CLASSES_MAX = 64 };

/* Failures of that class count for nothing. */
struct breaker_config {
    int64_t window_ms;
    int64_t min_calls;
    int64_t failure_percent;      /* Of the window's calls. */
    int64_t consecutive_failures; /* Opens at once, without min_calls; 0 = never. */
    int64_t slow_ms;              /* A longer attempt is slow; 0 = none is. */
    int64_t slow_percent;
    int64_t open_ms;
    int64_t open_max_ms;
    int64_t decay_ms;
    int64_t probes;          /* At once. */
    int64_t probe_successes; /* Close it. */
    int64_t probe_failures;  /* Open it anew. */
    int64_t ramp_ms;
    bool per_tenant;          /* Each tenant has a breaker of its own. */
    const struct str *counts; /* Failure classes that count, though their failure is permanent … */
    size_t counts_count;
    const struct str *ignored; /* … and that do not count, though it is not. */
    size_t ignored_count;
};

/* The defaults. */
const struct breaker_config *breaker_config_default(void);
enum err_code breaker_config_parse(struct arena *arena, const json_t *body,
                                   struct breaker_config *out, struct str *out_body,
                                   struct err *err);
/* The canonical body of the defaults. */
struct str breaker_config_standard_body(struct arena *arena);
/* Of a row's body; empty: the defaults. */
const struct breaker_config *breaker_config_of(struct arena *arena, struct str body);
/* Whether a failure of that class speaks against the service. */
bool breaker_config_counts(const struct breaker_config *config, struct str class, bool permanent);

#endif
