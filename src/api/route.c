#include "api/route.h"

#include <string.h>

#include "base/buf.h"
#include "http/uri.h"

static const struct route routes[ROUTE_COUNT] = {
#define ROUTE_ROW(id, name, method, path, scope, other, tenant, reason, idempotent, body, schema, \
                  deprecation, sunset, successor)                                                 \
    [id] = {id,     api_##name, #name, method, path,        scope,  other,    tenant,             \
            reason, idempotent, body,  schema, deprecation, sunset, successor},
    ROUTE_CATALOGUE(ROUTE_ROW)
#undef ROUTE_ROW
};

const struct route *route_get(enum route_id id)
{
    return &routes[id];
}

struct segments {
    struct str of[ROUTE_SEGMENTS];
    size_t count;
};

static bool split(struct str path, struct segments *out)
{
    struct str one;
    if (path.len == 0 || path.ptr[0] != '/') {
        return false;
    }
    path = str_slice(path, 1, path.len);
    out->count = 0;
    while (str_split(&path, '/', &one)) {
        if (out->count == ROUTE_SEGMENTS) {
            return false;
        }
        out->of[out->count++] = one;
    }
    return out->count > 0;
}

static bool matches(const struct route *route, const struct segments *asked,
                    struct str args[ROUTE_ARGS])
{
    struct segments wanted;
    size_t taken = 0;
    if (!split(str_from(route->path), &wanted) || wanted.count != asked->count) {
        return false;
    }
    for (size_t i = 0; i < wanted.count; i++) {
        if (wanted.of[i].ptr[0] == '{') {
            if (asked->of[i].len == 0) {
                return false;
            }
            args[taken++] = asked->of[i];
        } else if (!str_eq(wanted.of[i], asked->of[i])) {
            return false;
        }
    }
    return true;
}

static const char *method_name(enum http_method method)
{
    static const char *const names[] = {"GET",   "HEAD",   "POST",    "PUT",
                                        "PATCH", "DELETE", "OPTIONS", ""};
    return names[method];
}

static bool decode_args(struct arena *arena, struct str args[ROUTE_ARGS])
{
    for (size_t i = 0; i < ROUTE_ARGS; i++) {
        if (args[i].len > 0 && !uri_decode(arena, args[i], &args[i])) {
            return false;
        }
    }
    return true;
}

enum err_code route_find(struct arena *arena, enum http_method method, struct str path,
                         const struct route **out, struct str args[ROUTE_ARGS],
                         struct str *out_allow)
{
    struct segments asked;
    struct buf allow;
    const enum http_method wanted = method == HTTP_HEAD ? HTTP_GET : method;
    if (!split(path, &asked)) {
        return ERR_NOT_FOUND;
    }
    buf_init(&allow, 128);
    enum err_code code = ERR_NOT_FOUND;
    for (size_t i = 0; i < ROUTE_COUNT && code != ERR_OK; i++) {
        struct str found[ROUTE_ARGS] = {{0}};
        if (!matches(&routes[i], &asked, found)) {
            continue;
        }
        if (routes[i].method == wanted) {
            *out = &routes[i];
            memcpy(args, found, sizeof(found));
            code = decode_args(arena, args) ? ERR_OK : ERR_NOT_FOUND;
            break;
        }
        buf_format(&allow, "%s%s%s", allow.len > 0 ? ", " : "", method_name(routes[i].method),
                   routes[i].method == HTTP_GET ? ", HEAD" : "");
        code = ERR_METHOD_NOT_ALLOWED;
    }
    buf_str(&allow, allow.len > 0 ? STR(", OPTIONS") : STR(""));
    *out_allow = arena_str(arena, buf_get(&allow));
    buf_fini(&allow);
    return code;
}
