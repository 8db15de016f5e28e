/*
 * core/fold_installation - what was said of the installation, folded. Used by fold.c only.
 */
#ifndef CORE_FOLD_INSTALLATION_H
#define CORE_FOLD_INSTALLATION_H

#include "core/fold_rows.h"

bool fold_installation_paused(struct fold *fold, const struct fold_event *e);
bool fold_installation_restored(struct fold *fold, const struct fold_event *e);
bool fold_installation_resumed(struct fold *fold, const struct fold_event *e);

#endif
