#include "api/submits.h"

enum {
    TRACEPARENT_MAX = 128,
    NEEDS_MAX = 20000,
};

#define DELAY_MAX_MS INT64_C(31536000000)

void submission_refuse(struct submission *s, enum err_code code, struct str pointer,
                       const char *detail)
{
    if (s->errors.n < ITEM_ERRORS_MAX) {
        VEC_PUSH(s->arena, &s->errors,
                 ((struct call_error){code, pointer, arena_str(s->arena, str_from(detail))}));
    }
}

static void refuse_member(struct submission *s, const char *member, const char *detail)
{
    submission_refuse(s, ERR_UNPROCESSABLE,
                      arena_format(s->arena, "/jobs/%zu/%s", s->items.n - 1, member), detail);
}

static struct str take_name(struct submission *s, struct scan *scan, const char *member)
{
    const struct str name = scan_text(scan);
    if (!scan_failed(scan) && !name_is_valid(name, NAME_MAX_LEN)) {
        refuse_member(s, member,
                      "must be a name: 1 to 128 of letters, digits and ._:/@+-, beginning with a "
                      "letter or digit");
    }
    return name;
}

static struct str take_text(struct submission *s, struct scan *scan, const char *member, size_t max)
{
    const struct str text = scan_text(scan);
    if (!scan_failed(scan) && (text.len == 0 || text.len > max)) {
        refuse_member(s, member, "is empty or too long");
    }
    return text;
}

static int64_t take_int(struct submission *s, struct scan *scan, const char *member, int64_t min,
                        int64_t max)
{
    const int64_t value = scan_int(scan);
    if (!scan_failed(scan) && (value < min || value > max)) {
        refuse_member(s, member, "is outside its bounds");
    }
    return value < min || value > max ? 0 : value;
}

static int64_t take_time(struct submission *s, struct scan *scan, const char *member)
{
    struct wall_time at = {0};
    const struct str text = scan_text(scan);
    if (!scan_failed(scan) && (!time_parse(text, &at) || at.us <= 0)) {
        refuse_member(s, member, "must be a time as in RFC 3339");
    }
    return at.us > 0 ? at.us : 0;
}

static void take_need(struct submission *s, struct scan *scan, struct needs_text *need)
{
    struct str key;
    scan_object(scan);
    while (scan_member(scan, &key)) {
        if (str_eq(key, STR("job"))) {
            need->job = take_name(s, scan, "needs");
        } else if (str_eq(key, STR("on"))) {
            const struct str on = scan_text(scan);
            need->kind = str_eq(on, STR("always")) ? EDGE_ALWAYS : EDGE_SUCCESS;
            if (need->kind == EDGE_SUCCESS && !str_eq(on, STR("success"))) {
                scan_refuse(scan, ERR_UNPROCESSABLE, "must be success or always");
            }
        } else {
            scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
        }
    }
    if (!scan_failed(scan) && need->job.len == 0) {
        refuse_member(s, "needs", "an edge names no job");
    }
}

static void take_needs(struct submission *s, struct scan *scan, struct submit_item *item)
{
    scan_array(scan);
    while (scan_item(scan)) {
        if (item->need_count == NEEDS_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "too many edges");
        }
        struct needs_text need = {.item = s->items.n - 1, .index = item->need_count++};
        take_need(s, scan, &need);
        VEC_PUSH(s->arena, &s->needs, need);
    }
}

/* A member that jobs of runs alone have. False when it is none. */
static bool take_run_member(struct submission *s, struct scan *scan, struct submit_item *item,
                            struct str key)
{
    if (!s->is_run) {
        return false;
    }
    if (str_eq(key, STR("name"))) {
        item->name = take_name(s, scan, "name");
    } else if (str_eq(key, STR("needs"))) {
        take_needs(s, scan, item);
    } else {
        return false;
    }
    return true;
}

static void take_member(struct submission *s, struct scan *scan, struct submit_item *item,
                        struct str key)
{
    if (str_eq(key, STR("type"))) {
        item->job_type = take_name(s, scan, "type");
    } else if (str_eq(key, STR("payload"))) {
        item->payload = scan_raw(scan);
    } else if (str_eq(key, STR("key"))) {
        item->key = take_text(s, scan, "key", KEY_MAX);
    } else if (str_eq(key, STR("source"))) {
        item->source = take_name(s, scan, "source");
    } else if (str_eq(key, STR("priority"))) {
        item->priority = (int16_t)take_int(s, scan, "priority", -PRIORITY_MAX, PRIORITY_MAX);
    } else if (str_eq(key, STR("delay_ms"))) {
        item->delay_us = take_int(s, scan, "delay_ms", 0, DELAY_MAX_MS) * US_PER_MS;
    } else if (str_eq(key, STR("not_before"))) {
        item->not_before = take_time(s, scan, "not_before");
    } else if (str_eq(key, STR("traceparent"))) {
        item->traceparent = take_text(s, scan, "traceparent", TRACEPARENT_MAX);
    } else if (!take_run_member(s, scan, item, key)) {
        scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
    }
}

void submission_scan(struct submission *s, struct scan *scan, size_t max)
{
    struct str key;
    scan_array(scan);
    while (scan_item(scan)) {
        if (s->items.n == max) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "more jobs than the %zu that one call takes", max);
            return;
        }
        struct submit_item *item = VEC_ADD(s->arena, &s->items);
        *item = (struct submit_item){.payload = STR("null")};
        scan_object(scan);
        while (scan_member(scan, &key)) {
            take_member(s, scan, item, key);
        }
        if (scan_failed(scan)) {
            return;
        }
        if (item->job_type.len == 0) {
            refuse_member(s, "type", "is missing");
        }
        if (item->not_before > 0 && item->delay_us > 0) {
            refuse_member(s, "not_before", "either it or delay_ms");
        }
        if (s->is_run && item->name.len == 0) {
            refuse_member(s, "name", "is missing");
        }
    }
}

bool submission_failed(struct call *call, struct submission *s, enum err_code code)
{
    if (code != ERR_OK) {
        call_fail(call);
        return true;
    }
    if (s->errors.n > 0) {
        const struct call_error *first = &s->errors.v[0];
        (void)err_at(&call->err, first->code, arena_cstr(call->arena, first->pointer), "%.*s",
                     STR_ARG(first->detail));
        call_fail_with(call, s->errors.v, s->errors.n);
        return true;
    }
    return false;
}

const char *submission_member(enum err_code code)
{
    switch ((int)code) {
    case ERR_UNKNOWN_JOB_TYPE:
    case ERR_TOO_MANY_LANES: return "/type";
    case ERR_UNKNOWN_SOURCE: return "/source";
    case ERR_JOB_KEY_CONFLICT: return "/key";
    case ERR_PAYLOAD_TOO_LARGE: return "/payload";
    case ERR_DAG_CYCLE:
    case ERR_DANGLING_EDGE: return "/needs";
    default: return "";
    }
}

void submission_fail_at(struct call *call, const struct err *err, size_t at, size_t count)
{
    call->err = *err;
    if (at >= count) {
        call_fail(call);
        return;
    }
    const struct call_error error = {
        err->code,
        arena_format(call->arena, "/jobs/%zu%s", at, submission_member(err->code)),
        arena_str(call->arena, str_from(err->message)),
    };
    (void)err_at(&call->err, err->code, arena_cstr(call->arena, error.pointer), "%s", err->message);
    call->err.retry_after_ms = err->retry_after_ms;
    call_fail_with(call, &error, 1);
}
