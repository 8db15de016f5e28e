#include "observe/metrics.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"

/* By HTTP status; 0: the client went away before it was answered. */
enum { STATUS_COUNT = 600 };

struct route_figures {
    const char *name;
    _Atomic uint64_t requests[STATUS_COUNT];
    _Atomic uint64_t us;
};

struct metrics {
    size_t count;
    struct route_figures routes[];
};

struct metrics *metrics_new(const char *const *routes, size_t count)
{
    struct metrics *m = calloc(1, sizeof(*m) + (count + 1) * sizeof(m->routes[0]));
    CHECK(m != NULL);
    m->count = count;
    for (size_t i = 0; i < count; i++) {
        m->routes[i].name = routes[i];
    }
    m->routes[count].name = "none";
    return m;
}

void metrics_free(struct metrics *m)
{
    free(m);
}

void metrics_request(struct metrics *m, size_t route, int status, int64_t duration_us)
{
    struct route_figures *figures = &m->routes[route < m->count ? route : m->count];
    CHECK(status >= 0 && status < STATUS_COUNT);
    (void)atomic_fetch_add_explicit(&figures->requests[status], 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&figures->us, (uint64_t)duration_us, memory_order_relaxed);
}

void metrics_put_family(struct buf *out, const char *name, const char *kind, const char *about)
{
    buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, about, name, kind);
}

static void put_label_value(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.ptr[i];
        if (c == '\n') {
            buf_str(out, STR("\\n"));
            continue;
        }
        if (c == '"' || c == '\\') {
            buf_char(out, '\\');
        }
        buf_char(out, c);
    }
}

static void put_number(struct buf *out, double number)
{
    if (number == floor(number) && fabs(number) < 9e15) {
        buf_i64(out, (int64_t)number);
    } else {
        buf_format(out, "%.9g", number);
    }
    buf_char(out, '\n');
}

void metrics_put(struct buf *out, const char *name, const char *label, struct str value,
                 double number)
{
    buf_str(out, str_from(name));
    if (label != NULL) {
        buf_format(out, "{%s=\"", label);
        put_label_value(out, value);
        buf_str(out, STR("\"}"));
    }
    buf_char(out, ' ');
    put_number(out, number);
}

void metrics_put_histogram(struct buf *out, const char *name,
                           const uint64_t counts[METRICS_BUCKETS], double unit, double sum)
{
    uint64_t total = 0;
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        total += counts[i];
        if (i + 1 < METRICS_BUCKETS) {
            buf_format(out, "%s_bucket{le=\"%.9g\"} ", name, unit * (double)(1 << i));
            put_number(out, (double)total);
        }
    }
    buf_format(out, "%s_bucket{le=\"+Inf\"} ", name);
    put_number(out, (double)total);
    buf_format(out, "%s_sum ", name);
    put_number(out, sum);
    buf_format(out, "%s_count ", name);
    put_number(out, (double)total);
}

void metrics_put_requests(const struct metrics *m, struct buf *out)
{
    metrics_put_family(out, "stella_http_requests_total", "counter", "Requests answered.");
    for (size_t r = 0; r <= m->count; r++) {
        for (int s = 0; s < STATUS_COUNT; s++) {
            const uint64_t n =
                atomic_load_explicit(&m->routes[r].requests[s], memory_order_relaxed);
            if (n > 0) {
                buf_format(out, "stella_http_requests_total{route=\"%s\",status=\"%d\"} ",
                           m->routes[r].name, s);
                put_number(out, (double)n);
            }
        }
    }
    metrics_put_family(out, "stella_http_request_seconds_total", "counter",
                       "Time from headers to the end of the answer, summed.");
    for (size_t r = 0; r <= m->count; r++) {
        const uint64_t us = atomic_load_explicit(&m->routes[r].us, memory_order_relaxed);
        if (us > 0) {
            metrics_put(out, "stella_http_request_seconds_total", "route",
                        str_from(m->routes[r].name), (double)us / 1e6);
        }
    }
}
