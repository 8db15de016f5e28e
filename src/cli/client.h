/*
 * cli/client - one HTTP request to the server and its answer, through libcurl.
 *
 * Use      cli_path() builds a path with its names percent-encoded; cli_send() does the request
 *          with token, tenant, reason and ticket, and reads the answer.
 * Owns     the reply's bytes lie in call->arena; reply.json is the caller's (json_decref).
 * Bounds   an answer in memory holds at most 64 MiB; downloads go to a stream instead.
 * Errors   an exit status with call->failure filled from the problem document. A request whose
 *          answer was lost is sent again (twice at most) when that is safe: reads, and creations,
 *          which carry an Idempotency-Key.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/command.h"

struct cli_request {
    const char *method;
    struct str path;        /* Below /api/v1, or from the root with `root`. */
    struct str body;        /* Sent as application/json unless media_type says else. */
    const char *media_type; /* Null: application/json. */
    const char *if_match;   /* Null for none. */
    bool root;              /* A path outside /api/v1 (health). */
    bool anonymous;         /* Without token. */
    bool installation;      /* Not about one tenant: the tenant is not named. */
    int64_t wait_s;         /* Prefer: wait=N; 0 for none. */
    bool creates;           /* Carries a new Idempotency-Key. */
    bool changes_nothing;   /* The server only shows what it would change: sent under --dry-run. */
    bool absent_is_ok;      /* 404 is an answer, not a failure. */
    FILE *upload;           /* Body from a stream of upload_size bytes, instead of `body`. */
    int64_t upload_size;
    FILE *download; /* A 2xx body goes here. */
};

struct cli_reply {
    int status; /* HTTP */
    struct str body;
    json_t *json; /* Null when the body is not JSON. */
    char etag[128];
    char date[64]; /* The Date header. */
    char request_id[64];
    char retry_after[16];
    int64_t elapsed_us;
};

int cli_send(struct cli_call *call, const struct cli_request *request, struct cli_reply *reply);
/* GET of a path that answers with JSON. */
int cli_get(struct cli_call *call, struct str path, struct cli_reply *reply);
void cli_client_close(struct cli_client *client);

/* "/jobs/%s/history" with the texts percent-encoded: only %s, each a NUL-terminated text. */
struct str cli_path(struct cli_call *call, const char *format, ...);
/* Appends ?name=value or &name=value; nothing for a null value. */
struct str cli_query(struct cli_call *call, struct str path, const char *name, const char *value);

/* Where requests go and what they carry, as options, variables and defaults say. */
struct str cli_server(struct cli_call *call);
const char *cli_tenant(const struct cli_call *call);
/* The file the token is read from; null when there is none to be found. */
const char *cli_token_file(const struct cli_call *call);

#endif
