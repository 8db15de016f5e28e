/*
 * cli/near - after "there is no such thing": what was probably meant.
 *
 * Use      cli_near() once, after a command failed; it may ask the server for a list of names.
 */
#ifndef CLI_NEAR_H
#define CLI_NEAR_H

#include "cli/command.h"

/* What stands for a thing in usages ("JOB"), and where its names are found. */
struct cli_kind {
    const char *placeholder;
    const char *path;   /* Of the list; null when only local files know. */
    const char *member; /* Of an item: its name. */
    const char
        *prefix; /* Of ids that the server made ("job-"); null for names that people chose. */
    const char *noun;
    bool installation; /* The list is not a tenant's. */
};

/* By the placeholder of an argument or an option's value ("JOB...", "[TOPIC]"); null: none. */
const struct cli_kind *cli_kind_of(const char *placeholder);
/* Improves the hint of a CLI_NOT_FOUND. */
void cli_near(struct cli_call *call);

#endif
