/* quotas: groups of tenants that share slots, and what each tenant is promised. */
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/put.h"
#include "cli/shapes.h"

#include <string.h>

static const struct cli_column COLUMNS[] = {
    {"TENANT", "tenant", CLI_TEXT},     {"GROUP", "group", CLI_TEXT},
    {"IN USE", "in_use", CLI_NUMBER},   {"WAITING", "waiting", CLI_NUMBER},
    {"NOMINAL", "nominal", CLI_NUMBER}, {"BORROW", "borrow_limit", CLI_NUMBER},
    {"LEND", "lend_limit", CLI_NUMBER}, {"MAX", "hard_max", CLI_NUMBER},
    {"FLOOR", "floor", CLI_NUMBER},     {"CLASS", "class", CLI_NUMBER},
    {"WEIGHT", "weight", CLI_NUMBER},
};
static const struct cli_shape SHAPE = {"tenant", COLUMNS, CLI_COUNT(COLUMNS)};

static const struct cli_column EXPLAINED[] = {
    {"TENANT", "tenant", CLI_TEXT},
    {"ONE MORE", "standing.next", CLI_TEXT},
    {"ROOM", "standing.room", CLI_NUMBER},
    {"IN USE", "in_use", CLI_NUMBER},
    {"AT MOST", "standing.most", CLI_NUMBER},
    {"BORROWED", "standing.borrowed", CLI_NUMBER},
    {"BURST LEFT S", "standing.burst_left_s", CLI_NUMBER},
    {"POLICY", "standing.policy", CLI_TEXT},
    {"GROUP IN USE", "standing.group_in_use", CLI_NUMBER},
    {"RESERVED IDLE", "standing.group_reserved_idle", CLI_NUMBER},
    {"CAPACITY", "standing.group_capacity", CLI_NUMBER},
};
static const struct cli_shape EXPLAINED_SHAPE = {"tenant", EXPLAINED, CLI_COUNT(EXPLAINED)};

static const struct cli_column GROUP_COLUMNS[] = {
    {"GROUP", "group", CLI_TEXT},         {"POLICY", "policy", CLI_TEXT},
    {"CAPACITY", "capacity", CLI_NUMBER}, {"IN USE", "in_use", CLI_NUMBER},
    {"NOMINAL", "nominal", CLI_NUMBER},   {"RESERVED IDLE", "reserved_idle", CLI_NUMBER},
    {"FLOORS", "floors", CLI_NUMBER},     {"WEIGHT", "weight", CLI_NUMBER},
    {"MEMBERS", "members", CLI_NUMBER},
};
static const struct cli_shape GROUP_SHAPE = {"group", GROUP_COLUMNS, CLI_COUNT(GROUP_COLUMNS)};

static const struct cli_column SHARE_COLUMNS[] = {
    {"TENANT", "tenant", CLI_TEXT},     {"IN USE", "in_use", CLI_NUMBER},
    {"WAITING", "waiting", CLI_NUMBER}, {"NOMINAL", "nominal", CLI_NUMBER},
    {"WEIGHT", "weight", CLI_NUMBER},   {"WOULD GET", "slots", CLI_NUMBER},
};
static const struct cli_shape SHARE_SHAPE = {"tenant", SHARE_COLUMNS, CLI_COUNT(SHARE_COLUMNS)};

static const struct cli_column CHANGE_COLUMNS[] = {
    {"WAS", "was", CLI_JSON}, {"NOW", "now", CLI_JSON}, {"DRY RUN", "dry_run", CLI_TEXT}};
static const struct cli_shape CHANGE_SHAPE = {"now.tenant", CHANGE_COLUMNS,
                                              CLI_COUNT(CHANGE_COLUMNS)};

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/quotas"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/quotas/%s", cli_argument(call, 0)), &SHAPE);
}

static int explain(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/quotas/%s", cli_argument(call, 0)),
                            &EXPLAINED_SHAPE);
}

static int groups(struct cli_call *call)
{
    return cli_list_whole(call, STR("/quota-groups"), "items", &GROUP_SHAPE);
}

static int group(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/quota-groups/%s", cli_argument(call, 0)),
                            &GROUP_SHAPE);
}

/* ---- Changes ---- */

/* What is there now: its members stay unless an option says else. `null` when there is nothing. */
static int present(struct cli_call *call, struct str path, json_t **out, struct cli_reply *reply)
{
    const int status = cli_send(
        call, &(struct cli_request){.method = "GET", .path = path, .absent_is_ok = true}, reply);
    *out = NULL;
    if (status == CLI_OK && reply->status == 200) {
        *out = reply->json;
    } else if (status == CLI_OK) {
        json_decref(reply->json);
        reply->etag[0] = '\0';
    }
    return status;
}

/* A number that was given, or "none"; else the one that is there. */
static int keep_or_set(struct cli_call *call, struct json_writer *w, const json_t *was,
                       const char *member, const char *option, int64_t least, int64_t most)
{
    const char *given = cli_value(call, option);
    const json_t *kept = json_object_get(was, member);
    int64_t value = 0;
    json_put_key(w, str_from(member));
    if (given != NULL && strcmp(given, "none") == 0) {
        json_put_null(w);
        return CLI_OK;
    }
    if (given == NULL && kept != NULL && !json_is_null(kept)) {
        json_put_int(w, json_integer_value(kept));
        return CLI_OK;
    }
    if (given == NULL) {
        json_put_null(w);
        return CLI_OK;
    }
    const int status = cli_number(call, option, least, most, &value);
    json_put_int(w, value);
    return status;
}

static int put(struct cli_call *call, struct str path, struct buf *body, const char *etag)
{
    const char *version = cli_value(call, "if-match");
    struct cli_reply reply;
    if (cli_flag(call, "dry-run")) {
        path = arena_format(&call->arena, "%.*s?dry_run=true", STR_ARG(path));
    }
    version = version != NULL ? version : etag != NULL && etag[0] != '\0' ? etag : NULL;
    const int status = cli_send(call,
                                &(struct cli_request){.method = "PUT",
                                                      .path = path,
                                                      .body = buf_get(body),
                                                      .if_match = version,
                                                      .installation = true,
                                                      .changes_nothing = cli_flag(call, "dry-run")},
                                &reply);
    if (status == CLI_OK) {
        cli_show(call, reply.json, &CHANGE_SHAPE);
        json_decref(reply.json);
    }
    return status;
}

static int set_fields(struct cli_call *call, struct json_writer *w, const json_t *was)
{
    static const struct {
        const char *member;
        const char *option;
        int64_t most;
    } fields[] = {
        {"borrow_limit", "borrow-limit", 1000000},
        {"burst_s", "burst", 1000000000},
        {"class", "class", 9},
        {"floor", "floor", 1000000},
        {"hard_max", "max", 1000000},
        {"lend_limit", "lend-limit", 1000000},
        {"nominal", "nominal", 1000000},
        {"refill_s", "refill", 2592000},
    };

    const char *named = cli_value(call, "group");
    const json_t *kept = json_object_get(was, "group");
    int status = CLI_OK;
    bool is_group_put = false;
    json_put_object(w);
    for (size_t i = 0; i < CLI_COUNT(fields) && status == CLI_OK; i++) {
        if (!is_group_put && strcmp(fields[i].member, "group") > 0) {
            is_group_put = true;
            json_put_key(w, STR("group"));
            if (named != NULL ? strcmp(named, "none") == 0 : !json_is_string(kept)) {
                json_put_null(w);
            } else {
                json_put_str(w, str_from(named != NULL ? named : json_string_value(kept)));
            }
        }
        const bool is_plain = i == 1 || i == 2 || i == 7;
        if (is_plain && cli_value(call, fields[i].option) == NULL && was == NULL) {
            continue;
        }
        status = keep_or_set(call, w, was, fields[i].member, fields[i].option, 0, fields[i].most);
    }
    json_put_object_end(w);
    return status;
}

static int set(struct cli_call *call)
{
    const struct str path = cli_path(call, "/quotas/%s", cli_argument(call, 0));
    struct cli_reply reply = {0};
    struct json_writer w;
    struct buf body;
    json_t *was = NULL;
    buf_init(&body, CLI_BODY_MAX);
    json_begin(&w, &body);
    int status = cli_need_reason(call);
    if (status == CLI_OK) {
        status = present(call, path, &was, &reply);
    }
    if (status == CLI_OK) {
        status = set_fields(call, &w, was);
    }
    if (status == CLI_OK) {
        const bool is_new = json_integer_value(json_object_get(was, "version")) == 0;
        status = put(call, path, &body, is_new ? NULL : reply.etag);
    }
    json_decref(was);
    buf_fini(&body);
    return status;
}

/* Policy, capacity and weight of a group; what is not given stays. */
static int put_group(struct cli_call *call, const char *policy)
{
    const struct str path = cli_path(call, "/quota-groups/%s", cli_argument(call, 0));
    struct cli_reply reply = {0};
    struct json_writer w;
    struct buf body;
    json_t *was = NULL;
    buf_init(&body, CLI_BODY_MAX);
    json_begin(&w, &body);
    int status = cli_need_reason(call);
    if (status == CLI_OK) {
        status = present(call, path, &was, &reply);
    }
    if (status == CLI_OK) {
        json_put_object(&w);
        status = keep_or_set(call, &w, was, "capacity", "capacity", 1, 1000000);
        JSON_STR(&w, "policy", str_from(policy));
        if (cli_value(call, "weight") != NULL || was != NULL) {
            const int said = keep_or_set(call, &w, was, "weight", "weight", 1, 1000);
            status = status == CLI_OK ? said : status;
        }
        json_put_object_end(&w);
    }
    if (status == CLI_OK) {
        status = put(call, path, &body, was == NULL ? NULL : reply.etag);
    }
    json_decref(was);
    buf_fini(&body);
    return status;
}

static int policy(struct cli_call *call)
{
    return put_group(call, cli_argument(call, 1));
}

static int usage(struct cli_call *call)
{
    const char *named = cli_value(call, "policy");
    int64_t capacity = 0;
    const int status = cli_number(call, "capacity", 1, 1000000, &capacity);
    if (status != CLI_OK) {
        return status;
    }
    const struct str path = cli_path(call, "/quota-groups/%s/usage", cli_argument(call, 0));
    struct str asked = path;
    if (named != NULL && capacity > 0) {
        asked = arena_format(&call->arena, "%.*s?capacity=%lld&policy=%s", STR_ARG(path),
                             (long long)capacity, named);
    } else if (named != NULL) {
        asked = arena_format(&call->arena, "%.*s?policy=%s", STR_ARG(path), named);
    } else if (capacity > 0) {
        asked =
            arena_format(&call->arena, "%.*s?capacity=%lld", STR_ARG(path), (long long)capacity);
    }
    return cli_list_whole(call, asked, "items", &SHARE_SHAPE);
}

/* ---- The table ---- */

static const struct cli_option SET_OPTIONS[] = {
    {"group", 0, "GROUP", "Whose slots it shares; none: no quota"},
    {"nominal", 0, "N", "Slots it has when it asks"},
    {"borrow-limit", 0, "N", "Slots above nominal at most; none: no limit"},
    {"lend-limit", 0, "N", "Idle nominal that others may have; none: all, 0: reserved"},
    {"max", 0, "N", "Slots at most; none: no limit"},
    {"floor", 0, "N", "Slots before any tier or weight counts"},
    {"class", 0, "N", "Tier under the policy priority, 0 (first) to 9"},
    {"burst", 0, "S", "Slot-seconds it may borrow at a stretch; 0: not counted"},
    {"refill", 0, "S", "Seconds in which an empty burst budget is full again"},
    {"if-match", 0, "ETAG", "Change only this version (default: the one that is read first)"},
};

static const struct cli_option POLICY_OPTIONS[] = {
    {"capacity", 0, "N", "Slots of the group; needed for a new one"},
    {"weight", 0, "N", "Share among groups, 1 to 1000 (default 1)"},
    {"if-match", 0, "ETAG", "Change only this version (default: the one that is read first)"},
};

static const struct cli_option USAGE_OPTIONS[] = {
    {"policy", 0, "POLICY", "What this policy would give"},
    {"capacity", 0, "N", "Of this many slots"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List what tenants are promised and hold",
     "stella orchestrator quotas list", NULL, 0, list},
    {"get", NULL, "TENANT", 1, 1, "Show a tenant's quota",
     "stella orchestrator quotas get acme -o json", NULL, 0, get},
    {"set", NULL, "TENANT", 1, 1, "Set a tenant's quota (needs --reason)",
     "stella orchestrator quotas set acme --group shared --nominal 10 --max 20 --reason "
     "\"contract\"\n"
     "stella orchestrator quotas set acme --nominal 12 --reason \"contract\" --dry-run",
     SET_OPTIONS, CLI_COUNT(SET_OPTIONS), set},
    {"policy", NULL, "GROUP POLICY", 2, 2,
     "Make a group, or switch its policy: unlimited, max_limit, reserved, proportional, priority, "
     "fair_share (needs --reason)",
     "stella orchestrator quotas policy shared fair_share --capacity 40 --reason \"two tenants\"",
     POLICY_OPTIONS, CLI_COUNT(POLICY_OPTIONS), policy},
    {"groups", NULL, "", 0, 0, "List groups of tenants", "stella orchestrator quotas groups", NULL,
     0, groups},
    {"group", NULL, "GROUP", 1, 1, "Show one group", "stella orchestrator quotas group shared",
     NULL, 0, group},
    {"usage", NULL, "GROUP", 1, 1, "Who holds and wants what, and what a policy would give each",
     "stella orchestrator quotas usage shared\n"
     "stella orchestrator quotas usage shared --policy proportional --capacity 30",
     USAGE_OPTIONS, CLI_COUNT(USAGE_OPTIONS), usage},
    {"explain", NULL, "TENANT", 1, 1, "What one job more of the tenant would meet, with numbers",
     "stella orchestrator quotas explain acme", NULL, 0, explain},
};

const struct cli_noun cli_quotas = {"quotas", "quota", "Slots that tenants share", COMMANDS,
                                    CLI_COUNT(COMMANDS)};
