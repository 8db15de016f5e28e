/*
 * api/route - the table of routes, made from contract/openapi.json.
 *
 * Each operation's function is api_<operation_id>(), declared here from the same table, so an
 * operation without code does not link.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "auth/scope.h"
#include "base/arena.h"
#include "contract/routes.h"
#include "http/http.h"

struct call;

enum { ROUTE_ARGS = 2, ROUTE_SEGMENTS = 8 };

/* Whether a call is for one tenant. */
enum tenant_mode { TENANT_NONE, TENANT_OPTIONAL, TENANT_REQUIRED };

/* Which setting bounds the body. */
enum body_mode {
    BODY_NONE,
    BODY_BODY_BYTES,
    BODY_JOBS_BODY_BYTES,
    BODY_REPORTS_BODY_BYTES,
    BODY_ARTIFACT_BYTES, /* Raw bytes; all others are JSON. */
};

struct route {
    enum route_id id;
    void (*handle)(struct call *call);
    const char *name;
    enum http_method method;
    const char *path;
    int32_t scope;
    int32_t other_scope; /* Will do too; 0 for none. */
    enum tenant_mode tenant;
    bool needs_reason;
    bool is_idempotent;
    enum body_mode body;
    const char *schema;      /* Link to what its answer looks like; null for none. */
    const char *deprecation; /* Header values; null while nobody means to remove it. */
    const char *sunset;
    const char *successor;
};

#define ROUTE_DECLARE(id, name, ...) void api_##name(struct call *call);
ROUTE_CATALOGUE(ROUTE_DECLARE)
#undef ROUTE_DECLARE

const struct route *route_get(enum route_id id);
/* Finds the route; ERR_NOT_FOUND, or ERR_METHOD_NOT_ALLOWED with the methods that are in
 * *out_allow. HEAD goes where GET goes. Path parameters come decoded. */
enum err_code route_find(struct arena *arena, enum http_method method, struct str path,
                         const struct route **out, struct str args[ROUTE_ARGS],
                         struct str *out_allow);

#endif
