#include "api/manners.h"

#include "base/check.h"

enum { LINK_MAX = 8192 };

void manners_begin(struct call *call)
{
    const struct route *route = call->route;
    if (route->deprecation == NULL) {
        return;
    }
    http_header(call->exchange, "Deprecation", str_from(route->deprecation));
    if (route->sunset != NULL) {
        http_header(call->exchange, "Sunset", str_from(route->sunset));
    }
    if (route->successor != NULL) {
        http_header(call->exchange, "Link", str_from(route->successor));
    }
}

bool manners_options(struct call *call, enum err_code found, struct str allow)
{
    if (call->exchange->method != HTTP_OPTIONS) {
        return false;
    }
    if (str_eq(call->exchange->path, STR("*"))) {
        allow = STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    } else if (found != ERR_METHOD_NOT_ALLOWED) {
        return false;
    }
    http_header(call->exchange, "Allow", allow);
    http_header(call->exchange, "Link", STR("</.well-known/api-catalog>; rel=\"api-catalog\""));
    http_answer(call->exchange, 204, NULL);
    return true;
}

/* ---- Conditions ---- */

/* A strong entity tag of ours, "\"3\"". */
static bool read_tag(struct str text, int32_t *out_version)
{
    int64_t version = 0;
    const bool quoted = text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
    if (!quoted || !str_parse_i64(str_slice(text, 1, text.len - 1), &version) || version < 1 ||
        version > INT32_MAX) {
        return false;
    }
    *out_version = (int32_t)version;
    return true;
}

bool manners_condition(struct call *call, struct condition *out)
{
    const struct str match = str_trim(http_request_header(call->exchange, "If-Match"));
    const struct str none = str_trim(http_request_header(call->exchange, "If-None-Match"));
    *out = (struct condition){.version = -1};
    if (match.ptr != NULL && str_eq(match, STR("*"))) {
        out->any = true;
    } else if (match.ptr != NULL && !read_tag(match, &out->version)) {
        call_refuse(call, ERR_PRECONDITION_FAILED, err_info(ERR_PRECONDITION_FAILED)->title);
        return false;
    }
    out->none = none.ptr != NULL && str_eq(none, STR("*"));
    return true;
}

bool manners_unchanged(struct call *call, int32_t version)
{
    struct str rest = http_request_header(call->exchange, "If-None-Match");
    struct str one;
    if (rest.ptr == NULL || call->route->method != HTTP_GET) {
        return false;
    }
    bool found = str_eq(str_trim(rest), STR("*"));
    while (!found && str_split(&rest, ',', &one)) {
        int32_t tag = 0;
        one = str_trim(one);
        one = str_starts(one, STR("W/")) ? str_slice(one, 2, one.len) : one;
        found = read_tag(one, &tag) && tag == version;
    }
    if (found) {
        call_put_etag(call, version);
        buf_reset(&call->exchange->reply);
        http_answer(call->exchange, 304, NULL);
    }
    return found;
}

void manners_write_failed(struct call *call, int32_t version)
{
    if (call->err.code == ERR_PRECONDITION_FAILED && version > 0) {
        call_put_etag(call, version);
    }
    call_fail(call);
}

/* ---- Limits ---- */

static void put_limit(struct call *call, const char *name, int64_t max, int64_t left,
                      int64_t wait_ms)
{
    http_header(call->exchange, "RateLimit-Policy",
                arena_format(call->arena, "\"%s\";q=%lld;qu=\"concurrent-requests\"", name,
                             (long long)max));
    http_header(call->exchange, "RateLimit",
                wait_ms > 0 ? arena_format(call->arena, "\"%s\";r=%lld;t=%lld", name,
                                           (long long)left, (long long)((wait_ms + 999) / 1000))
                            : arena_format(call->arena, "\"%s\";r=%lld", name, (long long)left));
}

void manners_live_jobs(struct call *call, int64_t max, int64_t left)
{
    put_limit(call, "live-jobs", max, left > 0 ? left : 0, 0);
}

const char *manners_refused(struct call *call, enum err_code code, int64_t wait_ms)
{
    const struct settings *settings = call->api->settings;
    const struct command *command = call->request.commands;
    switch ((int)code) {
    case ERR_TOO_MANY_JOBS: {
        const int64_t left = command == NULL ? 0 : command->live_left;
        put_limit(call, "live-jobs", command == NULL ? 0 : command->live_max, left > 0 ? left : 0,
                  wait_ms);
        return "live-jobs";
    }
    case ERR_TOO_MANY_CLAIMS:
        put_limit(call, "claims", settings->parked_max, 0, wait_ms);
        return "claims";
    case ERR_TOO_MANY_WORKERS:
        put_limit(call, "workers", settings->max_workers, 0, wait_ms);
        return "workers";
    case ERR_TOO_MANY_JOB_TYPES:
        put_limit(call, "job-types", settings->max_job_types, 0, wait_ms);
        return "job-types";
    case ERR_TOO_MANY_SOURCES:
        put_limit(call, "sources", settings->max_sources, 0, wait_ms);
        return "sources";
    case ERR_TOO_MANY_LANES:
        put_limit(call, "lanes", settings->max_lanes, 0, wait_ms);
        return "lanes";
    default: return NULL;
    }
}

/* ---- Links ---- */

/* What may stand between < and >. */
static void put_uri(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c > 0x20 && c < 0x7f && c != '<' && c != '>' && c != '"') {
            buf_char(out, c);
        } else {
            buf_format(out, "%%%02X", (unsigned char)c);
        }
    }
}

static bool on_filter(void *ctx, struct str name, struct str value)
{
    struct buf *out = ctx;
    if (!str_eq(name, STR("cursor"))) {
        put_uri(out, name);
        buf_char(out, '=');
        put_uri(out, value);
        buf_char(out, '&');
    }
    return true;
}

void manners_next_page(struct call *call, struct str cursor)
{
    CLEANUP(buf_fini) struct buf link;
    buf_init(&link, LINK_MAX);
    buf_char(&link, '<');
    put_uri(&link, call->exchange->path);
    buf_char(&link, '?');
    http_query(call->exchange, on_filter, &link);
    buf_str(&link, STR("cursor="));
    put_uri(&link, cursor);
    buf_str(&link, STR(">; rel=\"next\""));
    if (!link.overflow) { /* The cursor stands in the body too. */
        http_header(call->exchange, "Link", buf_get(&link));
    }
}
