/*
 * serve - the verbs that are not clients of the API: serve, migrate, backup, restore.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "cli/command.h"
#include "config/settings.h"
#include "engine/engine.h"
#include "ledger/ledger.h"

/* For cli_main(). */
extern const struct cli_noun serve_nouns[];
extern const size_t serve_noun_count;

/* Where the settings say that the ledger is; makes the data folder of an embedded one. */
enum err_code serve_target(struct arena *arena, const struct settings *settings,
                           struct ledger_target *out, struct err *err);
/* The same for verbs that need a ledger which is there: makes no folder for an embedded one, and
 * refuses (LEDGER_OUTDATED) when there is none. */
enum err_code serve_kept_target(struct arena *arena, const struct settings *settings,
                                struct ledger_target *out, struct err *err);
/* Says what is wrong; the exit status. */
int serve_fail(struct cli_call *call, const struct err *err);
/* Runs one command and waits for it. Not on a thread of the engine's. */
enum err_code serve_command(struct engine *engine, struct command *command, struct err *err);
/* Serves until a signal; the exit status. */
int serve_run(struct cli_call *call);
int serve_migrate(struct cli_call *call);
int serve_backup(struct cli_call *call);
int serve_restore(struct cli_call *call);

#endif
