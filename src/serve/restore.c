/* serve/restore - a ledger that was restored from a backup: its old leases hold no more, and it
 * begins paused. */
#include <stdio.h>

#include "cli/settings.h"
#include "platform/clock.h"
#include "serve/serve.h"

static void print_step(const char *line)
{
    (void)fprintf(stderr, "%s\n", line);
}

/* Time in the ledger may be ahead of the clock. */
static enum err_code latest_time(const struct ledger_target *target, struct arena *arena,
                                 int64_t *out_at, struct err *err)
{
    struct reader *reader = NULL;
    struct query_result found;
    const struct query q = {.name = "dump_shards", .arena = arena};
    TRY(reader_open(target, &reader, err));
    const enum err_code code = reader_query(reader, &q, &found, err);
    *out_at = clock_wall().us;
    for (size_t i = 0; code == ERR_OK && i < found.rows; i++) {
        const int64_t at = query_int(&found, i, "last_at");
        *out_at = at > *out_at ? at : *out_at;
    }
    reader_close(reader);
    return code;
}

static enum err_code recall(struct engine *engine, struct arena *arena, struct err *err)
{
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        struct command command = {
            .kind = COMMAND_RECALL, .shard = shard, .actor = STR("restore"), .arena = arena};
        TRY(serve_command(engine, &command, err));
    }
    return ERR_OK;
}

static enum err_code mark(struct cli_call *call, struct engine *engine, int64_t latest_at,
                          const char *from, struct err *err)
{
    const char *ticket = cli_value(call, "ticket");
    struct command command = {
        .kind = COMMAND_RESTORED,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .actor = STR("restore"),
        .arena = &call->arena,
        .reason = arena_format(&call->arena, "restored from %.300s", from),
        .ticket = str_from(ticket == NULL ? "" : ticket),
        .restored = {.from = arena_format(&call->arena, "%.300s", from), .latest_at = latest_at},
    };
    print_step("restore: raising every grant, pausing");
    TRY(serve_command(engine, &command, err));
    print_step("restore: ending the leases of the backup");
    return recall(engine, &call->arena, err);
}

static enum err_code apply(struct cli_call *call, const struct ledger_target *target,
                           const char *from, struct err *err)
{
    struct engine *engine = NULL;
    int64_t latest_at = 0;
    struct engine_config config = engine_config_default(*target);
    config.committers = 1;
    config.retain_us = 0;
    TRY(latest_time(target, &call->arena, &latest_at, err));
    TRY(engine_open(&config, &engine, err));
    enum err_code code = engine_start(engine, err);
    if (code == ERR_OK) {
        code = mark(call, engine, latest_at, from, err);
        engine_stop(engine);
    }
    engine_free(engine);
    return code;
}

static enum err_code restore_folder(struct cli_call *call, const struct ledger_target *target,
                                    const char *backup, struct err *err)
{
    struct ledger_restore restore;
    enum err_code code = ledger_restore_begin(&restore, target, backup, print_step, err);
    if (code == ERR_OK) {
        code = apply(call, &restore.target, backup, err);
    }
    if (code == ERR_OK) {
        code = ledger_restore_finish(&restore, err);
    }
    ledger_restore_end(&restore);
    return code;
}

static int end(struct cli_call *call, enum err_code code, const struct err *err, const char *where)
{
    if (code == ERR_ALREADY_EXISTS) {
        return cli_fail(call, CLI_CONFLICT, err_info(code)->name, NULL, "%s", err->message);
    }
    if (code != ERR_OK) {
        return serve_fail(call, err);
    }
    print_step("restore: paused; look around, then: stella orchestrator resume --reason \"...\"");
    (void)fprintf(call->out, "%s\n", where);
    return CLI_OK;
}

/* The database has its own tools; what they brought back is marked. */
static int restore_database(struct cli_call *call, const struct ledger_target *target)
{
    struct err err = {0};
    const char *from = cli_value(call, "from");
    if (call->arguments.n > 0) {
        return cli_fail(call, CLI_USAGE, "usage",
                        "restore the database with PostgreSQL's tools first, then mark it without "
                        "a folder",
                        "a backup folder is of an embedded ledger");
    }
    const int status = cli_confirm(call, "End every lease of this ledger and pause it");
    if (status != CLI_OK) {
        return status;
    }
    if (cli_flag(call, "dry-run")) {
        print_step("restore: would raise every grant, pause, and end every lease");
        return CLI_OK;
    }
    const enum err_code code =
        apply(call, target, from == NULL ? "a backup of the database" : from, &err);
    return end(call, code, &err, "restored");
}

int serve_restore(struct cli_call *call)
{
    struct err err = {0};
    struct settings settings;
    struct ledger_target target;
    enum err_code code = cli_settings(call, &settings, &err);
    if (code == ERR_OK && settings.database.len > 0) {
        target = (struct ledger_target){.url = arena_cstr(&call->arena, settings.database),
                                        .row_security = true};
        return restore_database(call, &target);
    }
    if (code == ERR_OK && call->arguments.n == 0) {
        return cli_fail(call, CLI_USAGE, "usage", "name the folder that backup made",
                        "restore needs a backup");
    }
    const char *backup = code == ERR_OK ? cli_argument(call, 0) : NULL;
    if (code == ERR_OK && cli_flag(call, "dry-run")) {
        target = (struct ledger_target){
            .url = arena_format(&call->arena, "sqlite:%.*s/ledger.db", STR_ARG(settings.data)).ptr};
        code = ledger_restore_check(&target, backup, &err);
        if (code == ERR_OK) {
            print_step("restore: the backup is whole and the data folder is free");
            return CLI_OK;
        }
    } else if (code == ERR_OK) {
        code = serve_target(&call->arena, &settings, &target, &err);
        code = code == ERR_OK ? restore_folder(call, &target, backup, &err) : code;
    }
    return end(call, code, &err, arena_cstr(&call->arena, settings.data));
}
