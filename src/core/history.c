#include "core/history.h"

#include "base/check.h"

struct json_writer *history_begin_job(struct history_line *line, struct facts *facts,
                                      struct tenant_facts *t, struct str actor, const char *type,
                                      struct job_id job, struct carry *carry)
{
    if (t->line_count == 0) {
        t->first_seq = t->row->head_seq + 1;
    }
    line->facts = facts;
    line->tenant = t;
    line->type = type;
    line->job = job;
    line->job_seq = carry == NULL ? 0 : ++carry->job_seq;
    line->from = t->lines.len;
    json_begin(&line->w, &t->lines);
    json_put_object(&line->w);
    JSON_STR(&line->w, "actor", actor);
    JSON_INT(&line->w, "at", facts->now);
    json_put_key(&line->w, STR("facts"));
    json_put_object(&line->w);
    return &line->w;
}

struct json_writer *history_begin(struct history_line *line, struct facts *facts,
                                  struct tenant_facts *t, struct str actor, const char *type)
{
    return history_begin_job(line, facts, t, actor, type, (struct job_id){0}, NULL);
}

int64_t history_end(struct history_line *line)
{
    struct json_writer *w = &line->w;
    struct tenant_facts *t = line->tenant;
    json_put_object_end(w);
    if (line->job.v != 0) {
        char id[ID_TEXT];
        job_id_format(line->job, id);
        JSON_STR(w, "job", str_from(id));
        JSON_INT(w, "job_seq", line->job_seq);
    }
    facts_change(line->facts, &t->row->row);
    const int64_t seq = ++t->row->head_seq;
    JSON_INT(w, "seq", seq);
    JSON_STR(w, "tenant", t->row->name);
    JSON_INT(w, "tick", facts_shard(line->facts, t->shard)->row->tick);
    JSON_STR(w, "type", str_from(line->type));
    JSON_INT(w, "v", 1);
    json_put_object_end(w);
    buf_char(&t->lines, '\n');
    CHECK(t->lines.len - line->from <= HISTORY_LINE_MAX);
    t->line_count++;
    return seq;
}

void history_digest(struct json_writer *w, struct str key, struct str digest)
{
    json_put_key(w, key);
    if (digest.len != SHA256_SIZE) {
        json_put_null(w);
        return;
    }
    struct sha256 value;
    char hex[SHA256_HEX + 1];
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        value.bytes[i] = (unsigned char)digest.ptr[i];
    }
    sha256_format(&value, hex);
    json_put_str(w, str_from(hex));
}
