#include "core/history.h"

#include <string.h>

#include "base/check.h"

/* Appends what lies in the buffer already. */
static void repeat(struct buf *lines, size_t at, size_t len)
{
    char *room = buf_reserve(lines, len);
    if (room != NULL) {
        memcpy(room, lines->ptr + at, len);
        lines->len += len;
    }
}

static void write_head(struct history_line *line, struct str actor)
{
    struct history_log *log = line->log;
    json_begin(&line->w, &log->lines);
    json_put_object(&line->w);
    JSON_STR(&line->w, "actor", actor);
    JSON_INT(&line->w, "at", facts_shard(line->facts, line->shard)->row->last_at);
    JSON_KEY(&line->w, "facts");
    json_put_object(&line->w);
    log->actor = arena_str(line->facts->arena, actor);
    log->head_at = line->from;
    log->head_len = log->lines.len - line->from;
}

/* The writer itself is not cleared: it is large, and json_begin() sets it up. */
static struct json_writer *begin(struct history_line *line, struct str actor, const char *type)
{
    struct history_log *log = line->log;
    line->type = type;
    line->from = log->lines.len;
    if (log->count == 0) {
        log->first_seq = *line->head_seq + 1;
    }
    if (log->count == 0 || !str_eq(log->actor, actor)) {
        write_head(line, actor);
    } else { /* All lines of a log are of one time, its shard's tick. */
        repeat(&log->lines, log->head_at, log->head_len);
        json_resume(&line->w, &log->lines, 2);
    }
    return &line->w;
}

struct json_writer *history_begin_job(struct history_line *line, struct facts *facts,
                                      struct tenant_facts *t, struct str actor, const char *type,
                                      struct job_id job, struct carry *carry)
{
    line->facts = facts;
    line->log = &t->log;
    line->row = &t->row->row;
    line->head_seq = &t->row->head_seq;
    line->tenant = t->row->name;
    line->shard = t->shard;
    line->job = job;
    line->job_seq = carry == NULL ? 0 : ++carry->job_seq;
    return begin(line, actor, type);
}

struct json_writer *history_begin(struct history_line *line, struct facts *facts,
                                  struct tenant_facts *t, struct str actor, const char *type)
{
    return history_begin_job(line, facts, t, actor, type, (struct job_id){0}, NULL);
}

struct json_writer *history_begin_shard(struct history_line *line, struct facts *facts,
                                        int16_t shard, struct str actor, const char *type)
{
    struct shard_facts *s = facts_shard(facts, shard);
    line->facts = facts;
    line->log = &s->log;
    line->row = &s->row->row;
    line->head_seq = &s->row->head_seq;
    line->tenant = (struct str){NULL, 0};
    line->shard = shard;
    line->job = (struct job_id){0};
    return begin(line, actor, type);
}

static void write_tail(struct history_line *line)
{
    struct json_writer *w = &line->w;
    struct history_log *log = line->log;
    log->type = line->type;
    log->tail_at = log->lines.len;
    if (line->tenant.len > 0) {
        JSON_STR(w, "tenant", line->tenant);
    } else {
        JSON_INT(w, "shard", line->shard);
    }
    JSON_INT(w, "tick", log->first_seq);
    JSON_STR(w, "type", str_from(line->type));
    JSON_INT(w, "v", 1);
    json_put_object_end(w);
    buf_char(&log->lines, '\n');
    log->tail_len = log->lines.len - log->tail_at;
}

int64_t history_end(struct history_line *line)
{
    struct json_writer *w = &line->w;
    struct history_log *log = line->log;
    json_put_object_end(w);
    if (line->job.v != 0) {
        char id[ID_TEXT];
        job_id_format(line->job, id);
        JSON_STR(w, "job", str_from(id));
        JSON_INT(w, "job_seq", line->job_seq);
    }
    facts_change(line->facts, line->row);
    const int64_t seq = ++*line->head_seq;
    JSON_INT(w, "seq", seq);
    if (log->count == 0 || strcmp(log->type, line->type) != 0) {
        write_tail(line);
    } else {
        repeat(&log->lines, log->tail_at, log->tail_len);
    }
    CHECK(log->lines.len - line->from <= HISTORY_LINE_MAX);
    log->count++;
    return seq;
}

void history_digest(struct json_writer *w, struct str member, struct str digest)
{
    if (digest.len == SHA256_SIZE) {
        json_member_hex(w, member, digest);
    } else {
        json_member(w, member);
        json_put_null(w);
    }
}
