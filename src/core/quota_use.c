#include "core/quota_use.h"

#include "base/check.h"
#include "core/fairness.h"

struct tenant_facts *quota_system(struct facts *facts)
{
    return facts_tenant(facts, SHARD_SYSTEM, (struct tenant_id){TENANT_SYSTEM});
}

bool quota_look_want(struct facts *facts, struct tenant_facts *t)
{
    if (t->row == NULL || t->row->quota_group == 0) {
        return true;
    }
    struct tenant_facts *system = quota_system(facts);
    bool known = want(facts, system, WANT_TENANT, 0);
    known &= want(facts, system, WANT_QUOTA_GROUP, t->row->quota_group);
    return want(facts, system, WANT_QUOTA_MEMBER, t->id.v) && known;
}

bool quota_want(struct facts *facts, struct tenant_facts *t)
{
    if (t->row == NULL || t->row->quota_group == 0) {
        return true;
    }
    return want_shared(facts) && quota_look_want(facts, t);
}

struct quota_place quota_place_of(struct facts *facts, const struct tenant_facts *t)
{
    if (t->row->quota_group == 0) {
        return (struct quota_place){NULL, NULL};
    }
    const struct tenant_facts *system = quota_system(facts);
    return (struct quota_place){
        (struct quota_group_row *)facts_find(system, TABLE_QUOTA_GROUPS, t->row->quota_group),
        (struct quota_member_row *)facts_find(system, TABLE_QUOTA_MEMBERS, t->id.v),
    };
}

struct gate quota_gate(struct facts *facts, const struct tenant_facts *t, int64_t more)
{
    const struct quota_place place = quota_place_of(facts, t);
    if (place.member == NULL) {
        return (struct gate){HOLD_NONE, 0};
    }
    const struct shard_row *shared = facts_shard(facts, SHARD_SYSTEM)->row;
    const int64_t now = shared == NULL ? facts->now : shared->last_at;
    /* What this command has granted is not counted yet. */
    const int64_t asked = t->row->inflight - place.member->in_use + more;
    const enum quota_verdict said = quota_admit(place.group, place.member, asked, now);
    return (struct gate){quota_is_yes(said) ? HOLD_NONE : HOLD_QUOTA, 0};
}

int64_t quota_floor(const struct command *command, const struct tenant_facts *t)
{
    if (t->row == NULL || t->row->quota_group == 0) {
        return command->floor;
    }
    return command->quota_floors == NULL ? 0 : command->quota_floors[t->row->quota_group];
}

/* ---- Counting ---- */

static void write_used(struct facts *facts, struct quota_place place, struct str actor)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, facts, quota_system(facts), actor, "quota.used");
    JSON_INT(w, "burst_at", place.member->burst_at);
    JSON_INT(w, "burst_left", place.member->burst_left);
    JSON_INT(w, "charged", place.member->charged);
    JSON_INT(w, "group_charged", place.group->charged);
    JSON_INT(w, "in_use", place.member->in_use);
    JSON_INT(w, "lift", place.group->lift);
    JSON_INT(w, "member", place.member->member);
    (void)history_end(&line);
}

void quota_settle(struct facts *facts, struct tenant_facts *t, struct str actor, int64_t floor)
{
    if (t->row == NULL || t->row->quota_group == 0) {
        return;
    }
    const struct quota_place place = quota_place_of(facts, t);
    if (place.member == NULL ||
        (place.member->in_use == t->row->inflight && place.member->charged == t->row->charged)) {
        return;
    }
    const struct shard_row *shared = facts_shard(facts, SHARD_SYSTEM)->row;
    CHECK(shared != NULL);
    const int64_t cost = (t->row->charged - place.member->charged) * t->row->weight;
    place.group->charged += cost / place.group->weight;
    place.group->lift = fairness_lift(place.group->charged, place.group->lift, floor);
    place.member->charged = t->row->charged;
    quota_count(place.group, place.member, t->row->inflight, shared->last_at);
    facts_change(facts, &place.group->row);
    facts_change(facts, &place.member->row);
    write_used(facts, place, actor);
}

void quota_settle_shard(struct facts *facts, int16_t shard, struct str actor)
{
    for (size_t i = 0; i < facts->tenants.n; i++) {
        struct tenant_facts *t = facts->tenants.entries[i].value;
        if (t->shard == shard) {
            quota_settle(facts, t, actor, 0);
        }
    }
}
