#include "engine/hints.h"

#include "base/json.h"
#include "platform/bell.h"
#include "platform/clock.h"
#include "platform/thread.h"

enum { RETRY_MS = 1000 };

/* What the thread is about to say. */
struct talk {
    bool hello;    /* It has just begun to listen. */
    bool answer;   /* Another has. */
    bool is_lost;  /* The connection was; it is logged once. */
    int64_t from;  /* Mono: not before that. */
    int64_t until; /* Mono: something by then. */
};

/* One hint: words separated by spaces. Those that are not known are left out. */
struct message {
    uint64_t shards;
    bool tokens;
    bool hello;
};

static void put_message(struct buf *out, const struct message *message)
{
    buf_i64(out, (int64_t)message->shards);
    buf_str(out, message->tokens ? STR(" tokens") : STR(""));
    buf_str(out, message->hello ? STR(" hello") : STR(""));
}

static struct message message_of(struct str text)
{
    struct message message = {0};
    struct str word;
    while (str_split(&text, ' ', &word)) {
        int64_t shards = 0;
        if (str_parse_i64(word, &shards)) {
            message.shards |= (uint64_t)shards;
        }
        message.tokens |= str_eq(word, STR("tokens"));
        message.hello |= str_eq(word, STR("hello"));
    }
    return message;
}

void hints_init(struct engine *engine)
{
    if (engine->config.hints) {
        engine->hints.ledger = hints_new(&engine->config.target);
    }
    if (engine->hints.ledger != NULL) {
        engine->hints.bell = bell_new();
    }
}

void hints_fini(struct engine *engine)
{
    if (engine->hints.ledger != NULL) {
        engine->hints.ledger->close(engine->hints.ledger);
        bell_free(engine->hints.bell);
    }
}

void hints_wake(struct engine *engine)
{
    if (engine->hints.ledger != NULL) {
        bell_ring(engine->hints.bell);
    }
}

bool hints_are_urgent(const struct engine *engine)
{
    return engine->hints.heard != 0 && engine->park.parked > 0;
}

/* ---- Telling ---- */

/* Shards where the group left something that can be claimed now. */
static uint64_t shards_with_work(const struct group *group)
{
    const row_list *lanes = &group->facts.touched[TABLE_LANES];
    uint64_t shards = 0;
    for (size_t i = 0; i < lanes->n; i++) {
        const struct lane_row *lane = (const struct lane_row *)lanes->v[i];
        if (lane->waiting > 0 && lane->open_at <= group->ticks[lane->shard].now) {
            shards |= UINT64_C(1) << lane->shard;
        }
    }
    return shards;
}

void hints_note(struct group *group)
{
    struct engine_hints *hints = &group->engine->hints;
    if (hints->ledger == NULL || !group->written || clock_mono().us >= hints->others_until) {
        return;
    }
    hints->due |= shards_with_work(group);
    hints->tokens_due |= group->facts.touched[TABLE_TOKENS].n > 0;
    if ((hints->due != 0 || hints->tokens_due) && !hints->rung) {
        hints->rung = true;
        bell_ring(hints->bell);
    }
}

static struct message take_due(struct engine *engine)
{
    struct engine_hints *hints = &engine->hints;
    bell_silence(hints->bell);
    mutex_take(&engine->lock);
    const struct message message = {.shards = hints->due, .tokens = hints->tokens_due};
    hints->due = 0;
    hints->tokens_due = false;
    hints->rung = false;
    mutex_give(&engine->lock);
    return message;
}

static enum err_code tell(struct engine *engine, struct talk *talk, struct err *err)
{
    struct message message = take_due(engine);
    const int64_t mono = clock_mono().us;
    message.hello = talk->hello;
    if (message.shards == 0 && !message.tokens && !talk->hello && !talk->answer &&
        mono < talk->until) {
        return ERR_OK;
    }
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, HINT_MAX);
    put_message(&text, &message);
    TRY(engine->hints.ledger->send(engine->hints.ledger, buf_get(&text), err));
    talk->hello = false;
    talk->answer = false;
    talk->from = mono + HINT_GAP_US;
    talk->until = mono + HINT_BEAT_US;
    mutex_take(&engine->lock);
    engine->figures.hints_told++;
    mutex_give(&engine->lock);
    return ERR_OK;
}

/* ---- Hearing ---- */

static void hear(struct engine *engine, struct talk *talk, const struct hint *hint)
{
    struct message message = message_of(hint->text);
    if (hint->missed) {
        talk->hello = true;
        message = (struct message){.shards = UINT64_MAX, .tokens = true};
    }
    talk->answer |= message.hello;
    if (message.tokens && engine->config.tokens_changed != NULL) {
        engine->config.tokens_changed(engine->config.tokens_ctx);
    }
    mutex_take(&engine->lock);
    if (hint->text.len > 0) {
        engine->figures.hints_heard++;
        engine->hints.others_until = clock_mono().us + HINT_PRESENT_US;
    }
    engine->hints.heard |= message.shards;
    if (hints_are_urgent(engine)) {
        wake_one(&engine->watch);
    }
    mutex_give(&engine->lock);
}

/* ---- The thread ---- */

/* Waits for the bell only when it may tell: until then what is due gathers. */
static enum err_code turn(struct engine *engine, struct talk *talk, struct err *err)
{
    const int64_t mono = clock_mono().us;
    const bool may_tell = mono >= talk->from;
    const bool must_tell = may_tell && (talk->hello || talk->answer);
    const int64_t until = may_tell ? talk->until : talk->from;
    const int64_t wait_us = must_tell || until < mono ? 0 : until - mono;
    struct hint hint;
    TRY(engine->hints.ledger->wait(engine->hints.ledger, may_tell ? engine->hints.bell : -1,
                                   (int)((wait_us + US_PER_MS - 1) / US_PER_MS), &hint, err));
    if (hint.missed || hint.text.len > 0) {
        hear(engine, talk, &hint);
    }
    return clock_mono().us >= talk->from ? tell(engine, talk, err) : ERR_OK;
}

static void note_loss(struct engine *engine, struct talk *talk, const struct err *err)
{
    if (!talk->is_lost) {
        node_log_failure(engine, "hints_lost", err);
    }
    talk->is_lost = true;
    bell_silence(engine->hints.bell);
    bell_wait(engine->hints.bell, RETRY_MS);
}

void *hints_run(void *ctx)
{
    struct engine *engine = ctx;
    struct talk talk = {0};
    mutex_take(&engine->lock);
    while (engine->stage != NODE_STOPPED) {
        mutex_give(&engine->lock);
        struct err err = {0};
        if (turn(engine, &talk, &err) == ERR_OK) {
            talk.is_lost = false;
        } else {
            note_loss(engine, &talk, &err);
        }
        mutex_take(&engine->lock);
    }
    mutex_give(&engine->lock);
    return NULL;
}
