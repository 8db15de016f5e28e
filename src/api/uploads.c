#include "api/uploads.h"

#include "api/lease_access.h"
#include "api/pool.h"
#include "base/check.h"

enum upload_state { UPLOAD_NEW, UPLOAD_CHECKING, UPLOAD_OPEN, UPLOAD_FLUSHING };

struct upload {
    enum upload_state state;
    bool in_sink; /* The step runs inside the sink, not after the body. */
    http_step *first;
    struct sha256 digest;
    int64_t total;
    struct buf held;
    bool is_opened;
    bool existed; /* The tenant has these bytes: they are only compared. */
    struct blob_writer *writer;
    struct sha256_stream *compared;
};

static struct upload *upload_of(const struct call *call)
{
    return call->upload;
}

static void abandon(struct call *call)
{
    struct upload *upload = upload_of(call);
    if (upload->writer != NULL) {
        call->api->blobs->put_abandon(upload->writer);
    }
    if (upload->compared != NULL) {
        sha256_stream_free(upload->compared);
    }
    buf_fini(&upload->held);
}

/* ---- On a pool thread ---- */

static enum err_code open_once(struct call *call, struct upload *upload)
{
    struct blobs *blobs = call->api->blobs;
    int64_t size = 0;
    if (upload->is_opened) {
        return ERR_OK;
    }
    TRY(blobs->has(blobs, call->tenant, &upload->digest, &upload->existed, &size, &call->err));
    upload->is_opened = true;
    if (upload->existed) {
        upload->compared = sha256_stream_new();
        return ERR_OK;
    }
    return blobs->put_begin(blobs, call->tenant, &upload->digest, &upload->writer, &call->err);
}

static enum err_code write_held(struct call *call, struct upload *upload)
{
    const struct str bytes = buf_get(&upload->held);
    TRY(open_once(call, upload));
    if (upload->existed) {
        sha256_stream_add(upload->compared, bytes);
    } else if (bytes.len > 0) {
        TRY(call->api->blobs->put_add(upload->writer, bytes, &call->err));
    }
    buf_reset(&upload->held);
    return ERR_OK;
}

static void flush(struct call *call)
{
    (void)write_held(call, upload_of(call));
}

static void finish(struct call *call)
{
    struct upload *upload = upload_of(call);
    if (write_held(call, upload) != ERR_OK) {
        return;
    }
    if (!upload->existed) {
        struct blob_writer *writer = upload->writer;
        upload->writer = NULL;
        (void)call->api->blobs->put_finish(writer, &call->err);
        return;
    }
    const struct sha256 digest = sha256_stream_finish(upload->compared);
    if (!sha256_eq(&digest, &upload->digest)) {
        (void)err_set(&call->err, ERR_DIGEST_MISMATCH, "the bytes have another SHA-256");
    }
}

/* ---- On the transport thread ---- */

static void answer(struct call *call)
{
    const struct upload *upload = upload_of(call);
    char hex[SHA256_HEX + 1];
    if (call->err.code != ERR_OK) {
        call_fail(call);
        return;
    }
    sha256_format(&upload->digest, hex);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_STR(&w, "sha256", str_from(hex));
    JSON_INT(&w, "size", upload->total);
    json_put_object_end(&w);
    call_answer(call, upload->existed ? 200 : 201);
}

/* The body is whole. */
static void on_whole(struct http_exchange *exchange)
{
    struct call *call = exchange->ctx;
    struct upload *upload = upload_of(call);
    if (upload->state == UPLOAD_NEW) {
        upload->state = UPLOAD_CHECKING;
        upload->in_sink = false;
        upload->first(exchange);
        return;
    }
    CHECK(upload->state == UPLOAD_OPEN);
    pool_run(call, finish, answer);
}

static void opened(struct call *call)
{
    struct upload *upload = upload_of(call);
    upload->state = UPLOAD_OPEN;
    if (upload->in_sink) {
        call->exchange->next = on_whole;
    } else {
        pool_run(call, finish, answer);
    }
}

static void flushed(struct call *call)
{
    if (call->err.code != ERR_OK) {
        call_fail(call);
        return;
    }
    opened(call);
}

void api_put_artifact(struct call *call)
{
    struct upload *upload = upload_of(call);
    if (!sha256_parse(call->args[0], &upload->digest)) {
        call_refuse(call, ERR_NOT_FOUND,
                    "an artifact's address is its SHA-256: 64 lower-case hexadecimal digits");
    } else if (lease_access_is_needed(call)) {
        lease_access_check(call, opened);
    } else {
        opened(call);
    }
}

/* What waited goes on, when the sink is called again after the wake. */
static void resume(struct http_exchange *exchange)
{
    http_step *step = exchange->next;
    CHECK(step != NULL);
    exchange->next = NULL;
    step(exchange);
}

static size_t on_bytes(struct http_exchange *exchange, struct str bytes)
{
    struct call *call = exchange->ctx;
    struct upload *upload = upload_of(call);
    if (upload->state == UPLOAD_NEW) {
        upload->state = UPLOAD_CHECKING;
        upload->first(exchange);
    } else if (upload->state != UPLOAD_OPEN) {
        resume(exchange);
    }
    if (exchange->status != 0) {
        return bytes.len;
    }
    if (upload->state != UPLOAD_OPEN) {
        return 0;
    }
    if (upload->held.len == UPLOAD_BUFFER) {
        upload->state = UPLOAD_FLUSHING;
        pool_run(call, flush, flushed);
        return 0;
    }
    const size_t room = UPLOAD_BUFFER - upload->held.len;
    const size_t taken = bytes.len < room ? bytes.len : room;
    upload->total += (int64_t)taken;
    if (upload->total > call->api->settings->artifact_bytes) {
        call_refuse(call, ERR_PAYLOAD_TOO_LARGE,
                    "the artifact is larger than artifact_bytes allows");
        return bytes.len;
    }
    buf_str(&upload->held, (struct str){bytes.ptr, taken});
    if (taken < bytes.len) {
        upload->state = UPLOAD_FLUSHING;
        pool_run(call, flush, flushed);
    }
    return taken;
}

void upload_begin(struct call *call)
{
    struct http_exchange *x = call->exchange;
    struct upload *upload = arena_new(call->arena, struct upload);
    if (http_content_length(x) > call->api->settings->artifact_bytes) {
        call_refuse(call, ERR_PAYLOAD_TOO_LARGE,
                    "the artifact is larger than artifact_bytes allows");
        return;
    }
    buf_init(&upload->held, UPLOAD_BUFFER);
    upload->in_sink = true;
    upload->first = x->next;
    call->upload = upload;
    call->abandon = abandon;
    x->sink = on_bytes;
    x->next = on_whole;
}
