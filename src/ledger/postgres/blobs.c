/*
 * ledger/postgres/blobs - bytes in the database, in parts of 256 KiB.
 *
 * A blob is hashed and kept on this side (in memory, past one part in an unnamed temporary file)
 * until it is whole and has the right digest; only then one short transaction writes all parts.
 * However slowly a worker sends, no transaction stays open, and wrong bytes never reach the
 * database. Reading takes a transaction a part.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ledger/postgres/postgres.h"
#include "ledger/postgres/session.h"
#include "platform/clock.h"

/* A blob that was put or told of that lately is not made younger by telling of it again. */
#define YOUNG_US (60 * US_PER_S)

enum { PART_BYTES = 256 * 1024, CONNECTIONS_MAX = 4, TENANT_TEXT = 16, OLD_PAGE = 256 };

/* One connection and its arguments; made when first needed, kept. */
struct channel {
    struct session session;
    struct params params;
    bool busy;
};

struct postgres_blobs {
    struct blobs blobs;
    pthread_mutex_t mutex; /* Guards busy. */
    pthread_cond_t freed;
    struct channel channels[CONNECTIONS_MAX];
};

struct blob_writer {
    struct postgres_blobs *blobs;
    struct tenant_id tenant;
    struct sha256 digest;
    struct sha256_stream *stream;
    struct buf part; /* What is not yet in the file. */
    FILE *file;      /* Whole parts; null while there are none. */
    int64_t size;
};

/* ---- Connections ---- */

static struct channel *take_channel(struct postgres_blobs *b)
{
    struct channel *found = NULL;
    CHECK(pthread_mutex_lock(&b->mutex) == 0);
    while (found == NULL) {
        for (size_t i = 0; i < CONNECTIONS_MAX && found == NULL; i++) {
            found = b->channels[i].busy ? NULL : &b->channels[i];
        }
        if (found == NULL) {
            CHECK(pthread_cond_wait(&b->freed, &b->mutex) == 0);
        }
    }
    found->busy = true;
    CHECK(pthread_mutex_unlock(&b->mutex) == 0);
    return found;
}

static void give_channel(struct postgres_blobs *b, struct channel *channel)
{
    CHECK(pthread_mutex_lock(&b->mutex) == 0);
    channel->busy = false;
    CHECK(pthread_cond_signal(&b->freed) == 0);
    CHECK(pthread_mutex_unlock(&b->mutex) == 0);
}

static struct str digest_bytes(const struct sha256 *digest)
{
    return (struct str){(const char *)digest->bytes, SHA256_SIZE};
}

static enum err_code skip(struct channel *c, PGresult **out, struct err *err)
{
    return session_next(&c->session, SESSION_COMMIT_WAIT_MS, out, err);
}

/* A transaction that sees this tenant's blobs. */
static enum err_code send_begin(struct channel *c, const char *begin, struct tenant_id tenant,
                                struct err *err)
{
    struct buf text;
    buf_init(&text, TENANT_TEXT);
    buf_i64(&text, tenant.v);
    params_reset(&c->params);
    params_text(&c->params, buf_get(&text));
    buf_fini(&text);
    TRY(session_send(&c->session, begin, NULL, err));
    return session_send(&c->session, "set_tenant", &c->params, err);
}

/* A statement about a tenant's blobs, in a transaction of its own: one round trip. */
struct question {
    const char *statement;
    struct tenant_id tenant;
    const struct sha256 *digest;
    bool writes;
    int32_t part; /* Of a reading one; below 0 for none. */
    int64_t time; /* Of a writing one. */
};

static enum err_code ask_on(struct channel *c, const struct question *question, PGresult **out,
                            struct err *err)
{
    CLEANUP(session_clear) PGresult *begun = NULL;
    CLEANUP(session_clear) PGresult *set = NULL;
    CLEANUP(session_clear) PGresult *done = NULL;
    TRY(session_connect(&c->session, err));
    TRY(send_begin(c, question->writes ? "begin" : "begin_read", question->tenant, err));
    params_reset(&c->params);
    params_i4(&c->params, question->tenant.v);
    params_bytes(&c->params, digest_bytes(question->digest));
    if (question->writes) {
        params_i8(&c->params, question->time);
    } else if (question->part >= 0) {
        params_i4(&c->params, question->part);
    }
    TRY(session_send(&c->session, question->statement, &c->params, err));
    TRY(session_send(&c->session, "commit", NULL, err));
    TRY(session_sync(&c->session, err));
    TRY(skip(c, &begun, err));
    TRY(skip(c, &set, err));
    TRY(skip(c, out, err));
    TRY(skip(c, &done, err));
    return session_end(&c->session, question->writes ? SESSION_COMMIT_WAIT_MS : SESSION_WAIT_MS,
                       err);
}

static enum err_code ask(struct postgres_blobs *b, const struct question *question, PGresult **out,
                         struct err *err)
{
    struct channel *c = take_channel(b);
    const enum err_code code = ask_on(c, question, out, err);
    if (code != ERR_OK) {
        session_rollback(&c->session);
    }
    give_channel(b, c);
    return code;
}

static enum err_code read_safely(struct postgres_blobs *b, struct tenant_id tenant,
                                 const char *statement, const struct sha256 *digest, int32_t part,
                                 PGresult **out, struct err *err)
{
    const struct question question = {
        .statement = statement, .tenant = tenant, .digest = digest, .part = part};
    return ask(b, &question, out, err);
}

static enum err_code write_safely(struct postgres_blobs *b, struct tenant_id tenant,
                                  const char *statement, const struct sha256 *digest, int64_t time,
                                  PGresult **out, struct err *err)
{
    const struct question question = {
        .statement = statement, .tenant = tenant, .digest = digest, .writes = true, .time = time};
    return ask(b, &question, out, err);
}

/* ---- Reading ---- */

static enum err_code blobs_has(struct blobs *blobs, struct tenant_id tenant,
                               const struct sha256 *digest, bool *out_has, int64_t *out_size,
                               struct err *err)
{
    CLEANUP(session_clear) PGresult *found = NULL;
    TRY(read_safely((struct postgres_blobs *)blobs, tenant, "blob_size", digest, -1, &found, err));
    *out_has = PQntuples(found) > 0;
    *out_size = *out_has ? result_int(found, 0, 0) : 0;
    if (!*out_has || result_int(found, 0, 1) >= clock_wall().us - YOUNG_US) {
        return ERR_OK;
    }
    /* Told of, it is young again; unless a sweep was quicker. */
    CLEANUP(session_clear) PGresult *touched = NULL;
    TRY(write_safely((struct postgres_blobs *)blobs, tenant, "touch_blob", digest, clock_wall().us,
                     &touched, err));
    *out_has = PQntuples(touched) > 0;
    return ERR_OK;
}

static enum err_code blobs_get(struct blobs *blobs, struct tenant_id tenant,
                               const struct sha256 *digest, int64_t offset,
                               bool (*chunk)(void *ctx, struct str bytes), void *ctx,
                               struct err *err)
{
    bool has = false;
    int64_t size = 0;
    TRY(blobs_has(blobs, tenant, digest, &has, &size, err));
    if (!has) {
        return err_set(err, ERR_NOT_FOUND, "There is no such artifact.");
    }
    bool more = true;
    while (more && offset < size) {
        CLEANUP(session_clear) PGresult *found = NULL;
        const int64_t part = offset / PART_BYTES;
        TRY(read_safely((struct postgres_blobs *)blobs, tenant, "blob_part", digest, (int32_t)part,
                        &found, err));
        if (PQntuples(found) == 0) {
            return err_set(err, ERR_NOT_FOUND, "The artifact was removed while it was read.");
        }
        const struct str bytes = result_bytes(found, 0, 0);
        const struct str rest = str_slice(bytes, (size_t)(offset % PART_BYTES), bytes.len);
        CHECK(rest.len > 0);
        more = chunk(ctx, rest);
        offset += (int64_t)rest.len;
    }
    return ERR_OK;
}

/* ---- Writing ---- */

static enum err_code blobs_put_begin(struct blobs *blobs, struct tenant_id tenant,
                                     const struct sha256 *digest, struct blob_writer **out,
                                     struct err *err)
{
    (void)err;
    struct blob_writer *writer = calloc(1, sizeof(*writer));
    CHECK(writer != NULL);
    writer->blobs = (struct postgres_blobs *)blobs;
    writer->tenant = tenant;
    writer->digest = *digest;
    writer->stream = sha256_stream_new();
    buf_init(&writer->part, PART_BYTES);
    *out = writer;
    return ERR_OK;
}

static void writer_free(struct blob_writer *writer)
{
    if (writer->file != NULL) {
        (void)fclose(writer->file); /* It has no name: gone with this. */
    }
    sha256_stream_free(writer->stream);
    buf_fini(&writer->part);
    free(writer);
}

static enum err_code spill(struct blob_writer *writer, struct err *err)
{
    if (writer->file == NULL) {
        writer->file = tmpfile();
    }
    if (writer->file == NULL ||
        fwrite(writer->part.ptr, 1, writer->part.len, writer->file) != writer->part.len) {
        return err_set(err, ERR_IO, "The upload could not be kept in a temporary file.");
    }
    buf_reset(&writer->part);
    return ERR_OK;
}

static enum err_code blobs_put_add(struct blob_writer *writer, struct str bytes, struct err *err)
{
    sha256_stream_add(writer->stream, bytes);
    writer->size += (int64_t)bytes.len;
    while (bytes.len > 0) {
        if (writer->part.len == PART_BYTES) {
            TRY(spill(writer, err));
        }
        const size_t room = PART_BYTES - writer->part.len;
        const size_t taken = bytes.len < room ? bytes.len : room;
        buf_put(&writer->part, bytes.ptr, taken);
        bytes = str_slice(bytes, taken, bytes.len);
    }
    return ERR_OK;
}

static enum err_code write_part(struct blob_writer *writer, struct channel *c, int32_t part,
                                struct str bytes, struct err *err)
{
    CLEANUP(session_clear) PGresult *done = NULL;
    params_reset(&c->params);
    params_i4(&c->params, writer->tenant.v);
    params_bytes(&c->params, digest_bytes(&writer->digest));
    params_i4(&c->params, part);
    params_bytes(&c->params, bytes);
    TRY(session_send(&c->session, "insert_blob_part", &c->params, err));
    TRY(session_sync(&c->session, err));
    TRY(skip(c, &done, err));
    return session_end(&c->session, SESSION_WAIT_MS, err);
}

/* Parts from the file, then the rest from memory. */
static enum err_code write_parts(struct blob_writer *writer, struct channel *c, struct err *err)
{
    int32_t part = 0;
    if (writer->file != NULL) {
        char *bytes = malloc(PART_BYTES);
        CHECK(bytes != NULL);
        enum err_code code = ERR_OK;
        rewind(writer->file);
        for (size_t len = fread(bytes, 1, PART_BYTES, writer->file); len > 0 && code == ERR_OK;
             len = fread(bytes, 1, PART_BYTES, writer->file)) {
            code = write_part(writer, c, part++, (struct str){bytes, len}, err);
        }
        free(bytes);
        TRY(code);
        if (ferror(writer->file)) {
            return err_set(err, ERR_IO, "The upload could not be read back.");
        }
    }
    return writer->part.len > 0 ? write_part(writer, c, part, buf_get(&writer->part), err) : ERR_OK;
}

static enum err_code write_whole(struct blob_writer *writer, struct channel *c, struct err *err)
{
    CLEANUP(session_clear) PGresult *begun = NULL;
    CLEANUP(session_clear) PGresult *set = NULL;
    CLEANUP(session_clear) PGresult *blob = NULL;
    CLEANUP(session_clear) PGresult *done = NULL;
    TRY(session_connect(&c->session, err));
    TRY(send_begin(c, "begin", writer->tenant, err));
    params_reset(&c->params);
    params_i4(&c->params, writer->tenant.v);
    params_bytes(&c->params, digest_bytes(&writer->digest));
    params_i8(&c->params, writer->size);
    params_i8(&c->params, clock_wall().us);
    TRY(session_send(&c->session, "insert_blob", &c->params, err));
    TRY(session_sync(&c->session, err));
    TRY(skip(c, &begun, err));
    TRY(skip(c, &set, err));
    TRY(skip(c, &blob, err));
    TRY(session_end(&c->session, SESSION_WAIT_MS, err));
    TRY(write_parts(writer, c, err));
    TRY(session_send(&c->session, "commit", NULL, err));
    TRY(session_sync(&c->session, err));
    TRY(skip(c, &done, err));
    TRY(session_end(&c->session, SESSION_COMMIT_WAIT_MS, err));
    if (done == NULL || strcmp(PQcmdStatus(done), "COMMIT") != 0 || c->session.warned) {
        session_drop(&c->session);
        return err_set(err, ERR_LEDGER_UNAVAILABLE, "PostgreSQL did not confirm the artifact.");
    }
    return ERR_OK;
}

/* Writing the same bytes again does no harm: an unknown COMMIT is a failure that may be retried. */
static enum err_code blobs_put_finish(struct blob_writer *writer, struct err *err)
{
    const struct sha256 found = sha256_stream_finish(writer->stream);
    enum err_code code = ERR_OK;
    if (!sha256_eq(&found, &writer->digest)) {
        code = err_set(err, ERR_DIGEST_MISMATCH, "The bytes do not have the digest announced.");
    } else {
        struct channel *c = take_channel(writer->blobs);
        code = write_whole(writer, c, err);
        if (code != ERR_OK) {
            session_rollback(&c->session);
        }
        give_channel(writer->blobs, c);
    }
    writer_free(writer);
    return code;
}

static void blobs_put_abandon(struct blob_writer *writer)
{
    writer_free(writer);
}

/* ---- Sweeping ---- */

static enum err_code blobs_each_old(struct blobs *blobs, struct tenant_id tenant, int64_t before,
                                    bool (*found)(void *ctx, const struct sha256 *digest),
                                    void *ctx, struct err *err)
{
    struct sha256 digest = {{0}};
    bool more = true;
    while (more) {
        CLEANUP(session_clear) PGresult *page = NULL;
        TRY(write_safely((struct postgres_blobs *)blobs, tenant, "old_blobs", &digest, before,
                         &page, err));
        const int count = PQntuples(page);
        for (int i = 0; i < count && more; i++) {
            const struct str bytes = result_bytes(page, i, 0);
            CHECK(bytes.len == SHA256_SIZE);
            memcpy(digest.bytes, bytes.ptr, SHA256_SIZE);
            more = found(ctx, &digest);
        }
        more = more && count == OLD_PAGE;
    }
    return ERR_OK;
}

static enum err_code blobs_remove_old(struct blobs *blobs, struct tenant_id tenant,
                                      const struct sha256 *digest, int64_t before,
                                      bool *out_removed, struct err *err)
{
    CLEANUP(session_clear) PGresult *gone = NULL;
    TRY(write_safely((struct postgres_blobs *)blobs, tenant, "remove_old_blob", digest, before,
                     &gone, err));
    *out_removed = result_int(gone, 0, 0) > 0;
    return ERR_OK;
}

/* ---- Opening ---- */

static void blobs_close(struct blobs *blobs)
{
    struct postgres_blobs *b = (struct postgres_blobs *)blobs;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        CHECK(!b->channels[i].busy);
        session_fini(&b->channels[i].session);
        params_fini(&b->channels[i].params);
    }
    CHECK(pthread_cond_destroy(&b->freed) == 0);
    CHECK(pthread_mutex_destroy(&b->mutex) == 0);
    free(b);
}

enum err_code postgres_blobs_open(const struct ledger_target *target, struct blobs **out,
                                  struct err *err)
{
    struct postgres_blobs *b = calloc(1, sizeof(*b));
    CHECK(b != NULL);
    b->blobs = (struct blobs){.has = blobs_has,
                              .put_begin = blobs_put_begin,
                              .put_add = blobs_put_add,
                              .put_finish = blobs_put_finish,
                              .put_abandon = blobs_put_abandon,
                              .get = blobs_get,
                              .each_old = blobs_each_old,
                              .remove_old = blobs_remove_old,
                              .close = blobs_close};
    CHECK(pthread_mutex_init(&b->mutex, NULL) == 0 && pthread_cond_init(&b->freed, NULL) == 0);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        session_init(&b->channels[i].session, target, SESSION_ENGINE);
        params_init(&b->channels[i].params);
    }
    const enum err_code code = session_connect(&b->channels[0].session, err);
    if (code != ERR_OK) {
        blobs_close(&b->blobs);
        return code;
    }
    *out = &b->blobs;
    return ERR_OK;
}
