#include "core/fold_installation.h"

#include "core/config.h"

static struct installation_row installation_was(struct fold *fold)
{
    const struct installation_row none = {.row = {.table = TABLE_INSTALLATION},
                                          .shard = fold->shard,
                                          .tenant = fold->tenant,
                                          .version = INSTALLATION_FIRST};
    const struct row *old = row_set_find(&fold->set, &none.row);
    return old == NULL ? none : *(const struct installation_row *)old;
}

static bool installation_said(struct fold *fold, struct installation_row *row, int32_t steps)
{
    row->version++;
    fold_put(fold, &row->row);
    fold_tenant_row(fold)->config_version += steps;
    return true;
}

bool fold_installation_paused(struct fold *fold, const struct fold_event *e)
{
    struct installation_row row = installation_was(fold);
    row.pause = (struct pause){e->at, fold_text(e, "reason"), fold_text(e, "ticket"), e->actor};
    return installation_said(fold, &row, 1);
}

bool fold_installation_resumed(struct fold *fold, const struct fold_event *e)
{
    (void)e;
    struct installation_row row = installation_was(fold);
    row.pause = (struct pause){0};
    return installation_said(fold, &row, 1);
}

bool fold_installation_restored(struct fold *fold, const struct fold_event *e)
{
    struct installation_row row = installation_was(fold);
    row.grant_floor = fold_int(e, "grant_floor");
    row.restored_at = e->at;
    row.restored_from = fold_text(e, "from");
    return installation_said(fold, &row, CONFIG_RESTORED_STEPS);
}
