/* core/request - Idempotency-Key: what a request led to, stored with its effect. */
#include "base/check.h"
#include "core/submit.h"

static struct request_key_row *find(const struct command *command, const struct decision *d)
{
    return command->request_key.len == 0 ? NULL
                                         : (struct request_key_row *)facts_find_text(
                                               d->t, TABLE_REQUEST_KEYS, command->request_key);
}

static struct str digest_of(const struct command *command)
{
    return (struct str){(const char *)command->request_digest.bytes, SHA256_SIZE};
}

/* The ids of "17,18=succeeded,", as far as items take them. */
static void answer_submit(struct submit *submit, struct str ids)
{
    struct str one;
    struct str id;
    submit->done = 0;
    while (submit->done < submit->count && str_split(&ids, ',', &one) && one.len > 0) {
        struct submit_item *item = &submit->items[submit->done++];
        CHECK(str_split(&one, '=', &id) && str_parse_i64(id, &item->id.v));
        item->duplicate = one.len > 0;
        item->state = JOB_PENDING;
        CHECK(!item->duplicate || job_state_find(one, &item->state));
    }
}

bool request_is_answered(struct command *command, struct decision *d)
{
    const struct request_key_row *stored = find(command, d);
    if (stored == NULL) {
        return false;
    }
    if (!str_eq(stored->digest, digest_of(command))) {
        (void)err_set(&command->err, ERR_IDEMPOTENCY_KEY_REUSED,
                      "the Idempotency-Key was used with another request");
        return true;
    }
    int64_t number = 0;
    command->replayed = true;
    switch (command->kind) {
    case COMMAND_SUBMIT:
        answer_submit(&command->submit, stored->answer);
        /* A crash between groups left a prefix: the rest is decided now. */
        if (command->submit.done < command->submit.count) {
            command->replayed = false;
            return false;
        }
        return true;
    case COMMAND_RUN_SUBMIT:
        CHECK(str_parse_i64(stored->answer, &number));
        command->run.id.v = number;
        return true;
    case COMMAND_JOB_REPLAY:
        CHECK(str_parse_i64(stored->answer, &number));
        command->job.made.v = number;
        return true;
    case COMMAND_BULK_START:
        CHECK(str_parse_i64(stored->answer, &number));
        command->bulk.bulk.v = number;
        return true;
    case COMMAND_TENANT_NAME:
    case COMMAND_TENANT_OPEN:
    case COMMAND_TENANT_CHANGE:
    case COMMAND_QUOTA_GROUP_PUT:
    case COMMAND_QUOTA_SET:
    case COMMAND_TOKEN_ADD:
    case COMMAND_TOKEN_REVOKE:
    case COMMAND_JOB_TYPE_PUT:
    case COMMAND_SOURCE_PUT:
    case COMMAND_SOURCE_SWITCH:
    case COMMAND_WORKER_SEEN:
    case COMMAND_WORKER_SET:
    case COMMAND_BREAKER_PUT:
    case COMMAND_BREAKER_FORCE:
    case COMMAND_BREAKER_RESET:
    case COMMAND_PAUSE:
    case COMMAND_RESUME:
    case COMMAND_RESTORED:
    case COMMAND_NODE_STARTED:
    case COMMAND_THROTTLE_SET:
    case COMMAND_THROTTLE_CLEAR:
    case COMMAND_CLAIM:
    case COMMAND_HEARTBEAT:
    case COMMAND_REPORT:
    case COMMAND_JOB_CANCEL:
    case COMMAND_JOB_RETRY:
    case COMMAND_JOB_PRIORITISE:
    case COMMAND_RUN_CANCEL:
    case COMMAND_RUN_RETRY:
    case COMMAND_BULK_CANCEL:
    case COMMAND_RETAIN:
    case COMMAND_DUE:
    case COMMAND_RECALL: break;
    }
    UNREACHABLE();
}

void request_store(struct command *command, struct decision *d, struct str location,
                   struct str answer)
{
    if (command->request_key.len == 0) {
        return;
    }
    struct request_key_row *row = find(command, d);
    if (row == NULL) {
        row = (struct request_key_row *)facts_add(d->facts, d->t, TABLE_REQUEST_KEYS);
        row->key = command->request_key;
        row->digest = arena_str(d->facts->arena, digest_of(command));
        row->at = d->facts->now;
        row->status = 201;
        row->location = location;
        facts_index(d->facts, d->t, &row->row);
        struct history_line line;
        struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "request.stored");
        history_digest(w, JSON_MEMBER("digest"), row->digest);
        JSON_STR(w, "key", row->key);
        JSON_STR(w, "location", location);
        (void)history_end(&line);
    } else {
        facts_change(d->facts, &row->row);
    }
    row->answer = answer;
}
