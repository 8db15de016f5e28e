/* serve/tokens - the tokens that serve itself makes. */
#include <string.h>

#include "auth/token.h"
#include "observe/log.h"
#include "serve/node.h"
#include "serve/serve.h"

/* What the ledger knows of a token. */
static enum err_code look_up(const struct node *node, struct arena *arena,
                             const struct sha256 *hash, bool *out_known, bool *out_revoked,
                             struct err *err)
{
    struct reader *reader = NULL;
    struct query_result found;
    struct query q = {.name = "token_by_hash", .arena = arena};
    query_arg_bytes(&q, (struct str){(const char *)hash->bytes, SHA256_SIZE});
    TRY(reader_open(&node->target, &reader, err));
    const enum err_code code = reader_query(reader, &q, &found, err);
    if (code == ERR_OK) {
        *out_known = found.rows > 0;
        *out_revoked = found.rows > 0 && query_int(&found, 0, "revoked_at") != 0;
    }
    reader_close(reader);
    return code;
}

static void log_made(const char *path)
{
    struct log_line line;
    struct json_writer *w = log_begin(&line, LOG_TOKEN_MADE);
    JSON_STR(w, "file", str_from(path));
    log_end(&line);
}

/* The file first, then the ledger: a crash between the two is mended at the next start. */
static enum err_code ensure(struct node *node, const char *path, const char *name, int32_t scopes,
                            char out_made[64], struct err *err)
{
    char text[TOKEN_TEXT];
    bool made = false;
    bool known = false;
    bool revoked = false;
    TRY(token_file(path, text, &made, err));
    const struct sha256 hash = token_hash(str_from(text));
    TRY(look_up(node, &node->arena, &hash, &known, &revoked, err));
    if (revoked) {
        return err_set(err, ERR_USAGE,
                       "the token in %.120s was revoked; remove the file to have a new one made",
                       path);
    }
    if (known) {
        return ERR_OK;
    }
    struct command command = {
        .kind = COMMAND_TOKEN_ADD,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .actor = STR("serve"),
        .arena = &node->arena,
        .token = {.name = str_from(name),
                  .hash = {(const char *)hash.bytes, SHA256_SIZE},
                  .scopes = scopes},
    };
    TRY(serve_command(node->api.engine, &command, err));
    log_made(path);
    memcpy(out_made, text, sizeof(text));
    return ERR_OK;
}

enum err_code node_tokens(struct node *node, struct err *err)
{
    const struct settings *settings = &node->settings;
    const struct str admin =
        arena_format(&node->arena, "%.*s/admin.token", STR_ARG(settings->data));
    char ignored[64];
    TRY(ensure(node, admin.ptr, "admin", SCOPE_ADMIN, node->admin_token, err));
    if (settings->worker_token.len == 0) {
        return ERR_OK;
    }
    return ensure(node, arena_cstr(&node->arena, settings->worker_token), "worker", SCOPE_WORK,
                  ignored, err);
}
