/*
 * observe/metrics - figures of this node, written as Prometheus text 0.0.4.
 *
 * Use      metrics_new() with the names of the routes; metrics_request() per answer;
 *          metrics_put_… write families into a struct buf.
 * Threads  any.
 * Bounds   labels come from closed sets: routes, statuses; job types are cut by the caller.
 */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include "base/buf.h"

enum { METRICS_BUCKETS = 16 };

struct metrics;

struct metrics *metrics_new(const char *const *routes, size_t count);
void metrics_free(struct metrics *metrics);
/* `route` counts from 0; `count` stands for "no such route". */
void metrics_request(struct metrics *metrics, size_t route, int status, int64_t duration_us);
/* Requests and their time by route. */
void metrics_put_requests(const struct metrics *metrics, struct buf *out);

/* "# HELP", "# TYPE". */
void metrics_put_family(struct buf *out, const char *name, const char *kind, const char *about);
/* name{label="value"} number; label may be null. */
void metrics_put(struct buf *out, const char *name, const char *label, struct str value,
                 double number);
/* A histogram of counts of up to 1, 2, 4 … 2^15 times `unit`. */
void metrics_put_histogram(struct buf *out, const char *name,
                           const uint64_t counts[METRICS_BUCKETS], double unit, double sum);

#endif
