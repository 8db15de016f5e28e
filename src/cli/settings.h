/*
 * cli/settings - the settings that serve would have, for verbs that look at the same ledger.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/command.h"
#include "config/settings.h"

/* From the call's --data, --database and --settings, the environment and the settings file. Texts
 * lie in the call's arena. */
enum err_code cli_settings(struct cli_call *call, struct settings *out, struct err *err);

#endif
