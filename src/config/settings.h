/*
 * config/settings - the values of contract/settings.json: default, file, environment, flags; later
 * wins.
 *
 * Use      settings_load() with the arguments of serve; members of struct settings;
 *          settings_print().
 * Owns     texts lie in the arena given.
 * Errors   ERR_USAGE naming the setting, where it was set, and what is wrong. An unknown name is
 *          an error wherever it stands; environment variables that do not begin with STELLA_ are
 *          not looked at.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "contract/settings.h"

enum setting_kind { SETTING_INT, SETTING_TEXT, SETTING_FLAG };

/* The defaults. */
void settings_default(struct settings *out);
/* Sets one by name ("http_threads"); `where` begins the message of an error. */
enum err_code settings_set(struct arena *arena, struct settings *settings, struct str name,
                           struct str value, const char *where, struct err *err);
/* The text of a settings file. */
enum err_code settings_read(struct arena *arena, struct settings *settings, struct str text,
                            const char *where, struct err *err);
/* All STELLA_… variables of `environment` ("NAME=value", ended by null), but for those of the CLI
 * (STELLA_SERVER, STELLA_TOKEN …), of workers (STELLA_WORKER_…) and of tests. */
enum err_code settings_environment(struct arena *arena, struct settings *settings,
                                   char *const *environment, struct err *err);
/* "--name value", "--name=value", "--flag"; "--settings FILE" reads that file first, whatever its
 * place. */
enum err_code settings_arguments(struct arena *arena, struct settings *settings, int argc,
                                 char *const *argv, struct err *err);
/* Default, file, environment, flags. */
enum err_code settings_load(struct arena *arena, struct settings *settings, int argc,
                            char *const *argv, char *const *environment, struct err *err);
/* One "name = value" line each; what settings_read() takes. The passwords of a database URL are not
 * shown. */
void settings_print(const struct settings *settings, struct buf *out);
/* Flags with their defaults, for --help. */
void settings_help(struct buf *out);

#endif
