#include "core/quota_change.h"

#include <string.h>

#include "base/check.h"
#include "base/time.h"
#include "core/control.h"
#include "core/tables.h"

void quota_join(struct quota_group_row *group, const struct quota_member_row *member, int sign)
{
    const struct quota_terms terms = quota_terms_of((enum quota_policy)group->policy, member);
    group->members += sign;
    group->nominal += sign * (int64_t)member->nominal;
    group->floors += sign * (int64_t)member->floor;
    group->in_use += sign * member->in_use;
    group->unlent += sign * quota_unlent(&terms, member->in_use);
}

static struct quota_group_row *group_named(const struct tenant_facts *system, struct str name)
{
    const struct map *groups = &system->by_key[TABLE_QUOTA_GROUPS];
    for (size_t i = 0; i < groups->n; i++) {
        struct quota_group_row *group = groups->entries[i].value;
        if (row_is_live(&group->row) && str_eq(group->name, name)) {
            return group;
        }
    }
    return NULL;
}

/* Whether what is there is what the caller has read; fills err and the version if not. */
static bool is_as_read(struct command *command, int32_t version)
{
    struct quota_change *asked = &command->quota;
    asked->version = version;
    if (asked->create_only && version != 0) {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it exists, at version %d", version);
    } else if (asked->any_version && version == 0) {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it does not exist");
    } else if (!asked->any_version && !asked->create_only && asked->if_version != version) {
        (void)err_set(&command->err, ERR_PRECONDITION_FAILED, "it is at version %d", version);
    }
    return command->err.code == ERR_OK;
}

static const struct row *keep(struct command *command, const struct row *row)
{
    return row == NULL ? NULL : row_copy(command->arena, row);
}

/* ---- Groups ---- */

bool quota_group_put_want(const struct command *command, struct facts *facts,
                          const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *system = facts_tenant(facts, command->shard, command->tenant);
    bool known = want(facts, system, WANT_TENANT, 0);
    known &= want_list_of(facts, system, WANT_QUOTA_GROUPS, 0, 0, QUOTA_GROUPS_MAX + 1);
    const struct quota_group_row *group = group_named(system, command->quota.group);
    return (group == NULL || want_list_of(facts, system, WANT_QUOTA_MEMBERS, group->quota_group, 0,
                                          QUOTA_MEMBERS_MAX)) &&
           known;
}

/* A member that the capacity is too small for. */
static bool outgrows(const struct quota_member_row *member, int32_t capacity, struct err *err)
{
    if (member->hard_max > capacity) {
        (void)err_at(err, ERR_IMPOSSIBLE_QUOTA, "/capacity",
                     "tenant %d has a hard_max of %d, above it", member->member, member->hard_max);
    } else if (member->borrow_limit > capacity - member->nominal) {
        (void)err_at(err, ERR_IMPOSSIBLE_QUOTA, "/capacity",
                     "tenant %d has a nominal of %d and a borrow_limit of %d, together above it",
                     member->member, member->nominal, member->borrow_limit);
    }
    return err->code != ERR_OK;
}

/* Σ of what its members were promised stands against the new capacity. */
static bool check_group(const struct tenant_facts *system, const struct quota_group_row *group,
                        int32_t capacity, struct err *err)
{
    if (group->nominal > capacity) {
        (void)err_at(err, ERR_IMPOSSIBLE_QUOTA, "/capacity",
                     "the nominals of its members sum up to %lld, above it",
                     (long long)group->nominal);
        return false;
    }
    if (group->floors > capacity) {
        (void)err_at(err, ERR_IMPOSSIBLE_QUOTA, "/capacity",
                     "the floors of its members sum up to %lld, above it",
                     (long long)group->floors);
        return false;
    }
    const struct map *members = &system->by_key[TABLE_QUOTA_MEMBERS];
    for (size_t i = 0; i < members->n; i++) {
        const struct quota_member_row *member = members->entries[i].value;
        if (member->quota_group == group->quota_group && outgrows(member, capacity, err)) {
            return false;
        }
    }
    return true;
}

/* Under another policy other parts of what is idle are lent. */
static void count_unlent(const struct tenant_facts *system, struct quota_group_row *group)
{
    const struct map *members = &system->by_key[TABLE_QUOTA_MEMBERS];
    group->unlent = 0;
    for (size_t i = 0; i < members->n; i++) {
        const struct quota_member_row *member = members->entries[i].value;
        const struct quota_terms terms = quota_terms_of((enum quota_policy)group->policy, member);
        if (member->quota_group == group->quota_group) {
            group->unlent += quota_unlent(&terms, member->in_use);
        }
    }
}

static struct quota_group_row *add_group(struct command *command, struct decision *d)
{
    const struct map *groups = &d->t->by_key[TABLE_QUOTA_GROUPS];
    int32_t number = 1;
    for (size_t i = 0; i < groups->n; i++) {
        const struct quota_group_row *group = groups->entries[i].value;
        number = group->quota_group >= number ? group->quota_group + 1 : number;
    }
    if (groups->n >= QUOTA_GROUPS_MAX) {
        (void)err_set(&command->err, ERR_IMPOSSIBLE_QUOTA, "there are %d groups already, the most",
                      QUOTA_GROUPS_MAX);
        return NULL;
    }
    struct quota_group_row *group = arena_new(d->facts->arena, struct quota_group_row);
    group->row.table = TABLE_QUOTA_GROUPS;
    group->shard = d->t->shard;
    group->tenant = d->t->id.v;
    group->quota_group = number;
    group->name = command->quota.group;
    return group;
}

static void write_group(struct decision *d, const struct quota_group_row *group)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "quota.group_put");
    JSON_INT(w, "capacity", group->capacity);
    JSON_INT(w, "group", group->quota_group);
    JSON_STR(w, "name", group->name);
    JSON_STR(w, "policy", str_from(quota_policy_name((enum quota_policy)group->policy)));
    JSON_INT(w, "unlent", group->unlent);
    JSON_INT(w, "version", group->version);
    JSON_INT(w, "weight", group->weight);
    (void)history_end(&line);
}

/* Puts the changed copy in place of what is there. */
static void store(struct decision *d, struct tenant_facts *system, struct row *known,
                  const struct row *changed, size_t size)
{
    if (known == NULL) {
        known = facts_add(d->facts, system, (enum table_id)changed->table);
    }
    const struct row place = *known;
    memcpy(known, changed, size);
    *known = place;
    if (place.state == ROW_NEW) {
        facts_index(d->facts, system, known);
    } else {
        facts_change(d->facts, known);
    }
}

void quota_group_put_decide(struct command *command, struct decision *d)
{
    struct quota_change *asked = &command->quota;
    struct quota_group_row *known = group_named(d->t, asked->group);
    const bool is_ok = is_as_read(command, known == NULL ? 0 : known->version);
    struct quota_group_row *found = known != NULL || !is_ok ? known : add_group(command, d);
    if (command->err.code == ERR_OK && known != NULL) {
        (void)check_group(d->t, known, asked->capacity, &command->err);
    }
    if (!asked->is_dry) {
        control_write(command, d, "quota.group_put", asked->group, command->err.code);
    }
    if (command->err.code != ERR_OK) {
        return;
    }
    struct quota_group_row group = *found;
    group.policy = (int16_t)asked->policy;
    group.capacity = asked->capacity;
    group.weight = asked->weight;
    group.version++;
    count_unlent(d->t, &group);
    asked->version = group.version;
    asked->was = keep(command, known == NULL ? NULL : &known->row);
    asked->now = keep(command, &group.row);
    if (!asked->is_dry) {
        store(d, d->t, known == NULL ? NULL : &known->row, &group.row, sizeof(group));
        write_group(d, &group);
    }
}

/* ---- Members ---- */

bool quota_set_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    (void)limits;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    if (!want_shared(facts)) {
        return false;
    }
    struct tenant_facts *system = quota_system(facts);
    bool known = want(facts, t, WANT_TENANT, 0);
    known &= want(facts, system, WANT_TENANT, 0);
    known &= want_list_of(facts, system, WANT_QUOTA_GROUPS, 0, 0, QUOTA_GROUPS_MAX + 1);
    return want(facts, system, WANT_QUOTA_MEMBER, command->tenant.v) && known;
}

/* The group is without the member. */
static enum err_code check_member(const struct quota_group_row *group,
                                  const struct quota_member_row *member, struct err *err)
{
    const enum err_code impossible = ERR_IMPOSSIBLE_QUOTA;
    const long long nominals = member->nominal + group->nominal;
    const long long floors = member->floor + group->floors;
    if (nominals > group->capacity) {
        return err_at(err, impossible, "/nominal",
                      "the nominals of the group would sum up to %lld, above its capacity of %d",
                      nominals, group->capacity);
    }
    if (member->hard_max > group->capacity) {
        return err_at(err, impossible, "/hard_max", "is above the group's capacity of %d",
                      group->capacity);
    }
    if (member->hard_max != QUOTA_ANY && member->hard_max < member->nominal) {
        return err_at(err, impossible, "/hard_max", "is below the nominal of %d", member->nominal);
    }
    if (member->borrow_limit > group->capacity - member->nominal) {
        return err_at(err, impossible, "/borrow_limit",
                      "is with the nominal of %d above the group's capacity of %d", member->nominal,
                      group->capacity);
    }
    if (member->lend_limit > member->nominal) {
        return err_at(err, impossible, "/lend_limit", "is above the nominal of %d",
                      member->nominal);
    }
    if (floors > group->capacity) {
        return err_at(err, impossible, "/floor",
                      "the floors of the group would sum up to %lld, above its capacity of %d",
                      floors, group->capacity);
    }
    if (member->hard_max != QUOTA_ANY && member->floor > member->hard_max) {
        return err_at(err, impossible, "/floor", "is above the hard_max of %d", member->hard_max);
    }
    if (member->burst_s > 0 && member->refill_s == 0) {
        return err_at(err, impossible, "/refill_s", "a budget must refill in 1 s or more");
    }
    if (group->members >= QUOTA_MEMBERS_MAX) {
        return err_at(err, impossible, "/group", "it has %lld members already, the most",
                      (long long)group->members);
    }
    return ERR_OK;
}

static void write_member(struct decision *d, const struct quota_member_row *member)
{
    struct history_line line;
    struct json_writer *w =
        history_begin(&line, d->facts, quota_system(d->facts), d->actor, "quota.set");
    JSON_INT(w, "borrow_limit", member->borrow_limit);
    JSON_INT(w, "burst_at", member->burst_at);
    JSON_INT(w, "burst_left", member->burst_left);
    JSON_INT(w, "burst_s", member->burst_s);
    JSON_INT(w, "charged", member->charged);
    JSON_INT(w, "class", member->class);
    JSON_INT(w, "floor", member->floor);
    JSON_INT(w, "group", member->quota_group);
    JSON_INT(w, "hard_max", member->hard_max);
    JSON_INT(w, "in_use", member->in_use);
    JSON_INT(w, "lend_limit", member->lend_limit);
    JSON_INT(w, "member", member->member);
    JSON_INT(w, "nominal", member->nominal);
    JSON_INT(w, "refill_s", member->refill_s);
    JSON_INT(w, "version", member->version);
    (void)history_end(&line);
}

/* The tenant's own history: where its slots come from. */
static void write_grouped(struct decision *d, int32_t group)
{
    d->t->row->quota_group = group;
    facts_change(d->facts, &d->t->row->row);
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "tenant.grouped");
    JSON_INT(w, "group", group);
    (void)history_end(&line);
}

/* What it will be. A budget that is new is full; one that is there keeps what is left of it. */
static struct quota_member_row member_asked(struct decision *d, const struct quota_change *asked,
                                            const struct quota_member_row *known, int32_t group)
{
    const int64_t now = facts_shard(d->facts, SHARD_SYSTEM)->row->last_at;
    struct quota_member_row member = asked->member;
    member.row = (struct row){.table = TABLE_QUOTA_MEMBERS};
    member.shard = SHARD_SYSTEM;
    member.tenant = TENANT_SYSTEM;
    member.member = d->t->id.v;
    member.quota_group = group;
    member.version = known == NULL ? 1 : known->version + 1;
    member.in_use = d->t->row->inflight;
    member.charged = d->t->row->charged;
    member.burst_left = member.burst_s * US_PER_S;
    member.burst_at = now;
    if (known != NULL && known->burst_s > 0 && known->burst_left < member.burst_left) {
        member.burst_left = known->burst_left;
        member.burst_at = known->burst_at;
    }
    return member;
}

static struct quota_group_row *group_of(const struct tenant_facts *system,
                                        const struct quota_member_row *member)
{
    return member == NULL || member->quota_group == 0
               ? NULL
               : (struct quota_group_row *)facts_find(system, TABLE_QUOTA_GROUPS,
                                                      member->quota_group);
}

static void apply_member(struct decision *d, struct quota_member_row *known,
                         const struct quota_member_row *member)
{
    struct tenant_facts *system = quota_system(d->facts);
    struct quota_group_row *from = group_of(system, known);
    struct quota_group_row *to = group_of(system, member);
    if (from != NULL) {
        quota_join(from, known, -1);
        facts_change(d->facts, &from->row);
    }
    if (to != NULL) {
        quota_join(to, member, 1);
        facts_change(d->facts, &to->row);
    }
    store(d, system, known == NULL ? NULL : &known->row, &member->row, sizeof(*member));
    write_member(d, member);
    if (d->t->row->quota_group != member->quota_group) {
        write_grouped(d, member->quota_group);
    }
}

void quota_set_decide(struct command *command, struct decision *d)
{
    struct quota_change *asked = &command->quota;
    struct tenant_facts *system = quota_system(d->facts);
    struct quota_member_row *known =
        (struct quota_member_row *)facts_find(system, TABLE_QUOTA_MEMBERS, d->t->id.v);
    const struct quota_group_row *group =
        asked->group.len == 0 ? NULL : group_named(system, asked->group);
    const struct quota_member_row member =
        member_asked(d, asked, known, group == NULL ? 0 : group->quota_group);
    (void)is_as_read(command, known == NULL ? 0 : known->version);
    if (command->err.code == ERR_OK && group == NULL && asked->group.len > 0) {
        (void)err_at(&command->err, ERR_UNKNOWN_QUOTA_GROUP, "/group", "there is no group %.*s",
                     STR_ARG(asked->group));
    }
    if (command->err.code == ERR_OK && group != NULL) {
        struct quota_group_row without = *group;
        if (known != NULL && known->quota_group == group->quota_group) {
            quota_join(&without, known, -1);
        }
        (void)check_member(&without, &member, &command->err);
    }
    struct decision shared = *d;
    shared.t = system;
    if (!asked->is_dry) {
        control_write(command, &shared, "quota.set", d->t->row->name, command->err.code);
    }
    if (command->err.code != ERR_OK) {
        return;
    }
    asked->version = member.version;
    asked->was = keep(command, known == NULL ? NULL : &known->row);
    asked->now = keep(command, &member.row);
    if (!asked->is_dry) {
        apply_member(d, known, &member);
    }
}
