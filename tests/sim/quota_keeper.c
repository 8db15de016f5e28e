#include "sim/quota_keeper.h"

#include <stdio.h>

#include "base/check.h"
#include "core/tables.h"

static const char *const groups[KEEPER_GROUPS] = {"front", "back"};

/* What came of it: its error. */
static enum err_code run(struct world *world, struct command command)
{
    struct tick tick;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    command.arena = &arena;
    command.actor = STR("operator");
    command.reason = STR("because");
    (void)world_do(world, &command, &tick);
    const enum err_code code = command.err.code;
    CHECK(code == ERR_OK || code == ERR_IMPOSSIBLE_QUOTA || code == ERR_PRECONDITION_FAILED ||
          code == ERR_UNKNOWN_QUOTA_GROUP); /* It got lost. */
    tick_fini(&tick);
    arena_fini(&arena);
    return code;
}

/* Whatever version there is, or none. */
static void change(struct world *world, struct command command)
{
    if (run(world, command) == ERR_PRECONDITION_FAILED) {
        command.quota.any_version = false;
        command.quota.if_version = 0;
        (void)run(world, command);
    }
}

static void put_group(struct world *world, size_t which)
{
    struct command command = {
        .kind = COMMAND_QUOTA_GROUP_PUT,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .quota = {.group = str_from(groups[which]),
                  .policy = (enum quota_policy)world_draw(world, QUOTA_POLICIES),
                  .capacity = 4 + (int32_t)world_draw(world, 6),
                  .weight = 1 + (int32_t)world_draw(world, 4),
                  .any_version = true,
                  .is_dry = world_chance(world, 10)},
    };
    change(world, command);
}

static int32_t maybe(struct world *world, int32_t limit)
{
    return world_chance(world, 50) ? QUOTA_ANY : limit;
}

/* Small promises: together they leave a pool, so that nobody waits for ever. */
static void set_quota(struct world *world, size_t tenant, size_t group)
{
    struct command command = {
        .kind = COMMAND_QUOTA_SET,
        .shard = world->shards[tenant],
        .tenant = world->tenants[tenant],
        .quota = {.group = str_from(group < KEEPER_GROUPS ? groups[group] : ""),
                  .any_version = true,
                  .is_dry = world_chance(world, 10)},
    };
    struct quota_member_row *member = &command.quota.member;
    member->nominal = (int32_t)world_draw(world, 2);
    member->lend_limit = maybe(world, 0);
    member->borrow_limit = maybe(world, 1 + (int32_t)world_draw(world, 3));
    member->hard_max = maybe(world, 2 + (int32_t)world_draw(world, 3));
    member->floor = (int32_t)world_draw(world, 2);
    member->class = (int16_t)world_draw(world, 3);
    change(world, command);
}

void quota_keeper_begins(struct world *world)
{
    for (size_t i = 0; i < KEEPER_GROUPS; i++) {
        put_group(world, i);
    }
    for (size_t i = 2; i < WORLD_TENANTS; i++) {
        set_quota(world, i, i % KEEPER_GROUPS);
    }
}

void quota_keeper_acts(struct world *world)
{
    if (!world_chance(world, 3)) {
        return;
    }
    if (world_chance(world, 40)) {
        put_group(world, (size_t)world_draw(world, KEEPER_GROUPS));
    } else {
        set_quota(world, 1 + (size_t)world_draw(world, WORLD_TENANTS - 1),
                  (size_t)world_draw(world, KEEPER_GROUPS + 1));
    }
}
