#include "workers/lib/finding.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/json.h"
#include "workers/lib/write.h"

static const char *const affected_names[AFFECTED_COUNT] = {
    [AFFECTED_YES] = "yes", [AFFECTED_NO] = "no", [AFFECTED_UNKNOWN] = "unknown"};

static const char *const verdict_names[VERDICT_COUNT] = {[VERDICT_FAIL] = "fail",
                                                         [VERDICT_WARN] = "warn",
                                                         [VERDICT_PASS] = "pass",
                                                         [VERDICT_SUPPRESSED] = "suppressed"};

static const char *const vex_names[VEX_STATUS_COUNT] = {[VEX_NONE] = "none",
                                                        [VEX_NOT_AFFECTED] = "not_affected",
                                                        [VEX_FIXED] = "fixed",
                                                        [VEX_UNDER_INVESTIGATION] =
                                                            "under_investigation",
                                                        [VEX_AFFECTED] = "affected"};

const char *affected_name(enum affected affected)
{
    CHECK(affected < AFFECTED_COUNT);
    return affected_names[affected];
}

const char *verdict_name(enum verdict verdict)
{
    CHECK(verdict < VERDICT_COUNT);
    return verdict_names[verdict];
}

const char *vex_status_name(enum vex_status status)
{
    CHECK(status < VEX_STATUS_COUNT);
    return vex_names[status];
}

/* Position of the name in a list of n, or n. */
static size_t find_name(struct str name, const char *const *names, size_t n)
{
    size_t i = 0;
    while (i < n && !str_eq(name, str_from(names[i]))) {
        i++;
    }
    return i;
}

bool affected_find(struct str name, enum affected *out_affected)
{
    const size_t at = find_name(name, affected_names, AFFECTED_COUNT);
    *out_affected = (enum affected)at;
    return at < AFFECTED_COUNT;
}

bool verdict_find(struct str name, enum verdict *out_verdict)
{
    const size_t at = find_name(name, verdict_names, VERDICT_COUNT);
    *out_verdict = (enum verdict)at;
    return at < VERDICT_COUNT;
}

bool vex_status_find(struct str name, enum vex_status *out_status)
{
    const size_t at = find_name(name, vex_names, VEX_STATUS_COUNT);
    *out_status = (enum vex_status)at;
    return at < VEX_STATUS_COUNT;
}

static void put_vex(struct json_writer *w, const struct finding_vex *vex)
{
    if (vex->status == VEX_NONE) {
        json_put_null(w);
        return;
    }
    json_put_object(w);
    JSON_STR(w, "document", vex->document);
    write_text(w, STR("justification"), vex->justification);
    JSON_INT(w, "statement", (int64_t)vex->statement);
    JSON_STR(w, "status", str_from(vex_status_name(vex->status)));
    json_put_object_end(w);
}

void finding_format(struct buf *out, const struct finding *finding)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_STR(&w, "advisory", finding->advisory);
    JSON_STR(&w, "affected", str_from(affected_name(finding->affected)));
    JSON_STR(&w, "component", finding->component);
    write_text(&w, STR("cve"), finding->cve);
    write_text(&w, STR("fixed"), finding->fixed);
    JSON_STR(&w, "sbom", finding->sbom);
    JSON_STR(&w, "verdict", str_from(verdict_name(finding->verdict)));
    JSON_KEY(&w, "vex");
    put_vex(&w, &finding->vex);
    if (finding->vex_hint.status != VEX_NONE) {
        JSON_KEY(&w, "vex_hint");
        put_vex(&w, &finding->vex_hint);
    }
    json_put_object_end(&w);
    buf_char(out, '\n');
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

enum err_code finding_sort(struct str *lines, size_t n, struct finding_sink sink, struct err *err)
{
    if (n > 1) {
        qsort(lines, n, sizeof(*lines), by_bytes);
    }
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !str_eq(lines[i - 1], lines[i])) {
            TRY(sink.on_line(sink.ctx, lines[i], err));
        }
    }
    return ERR_OK;
}

/* One sorted part that is being merged. */
struct cursor {
    struct str rest; /* Behind `line`. */
    struct str line; /* With its newline; empty at the end. */
};

static enum err_code advance(struct cursor *cursor, struct err *err)
{
    const struct str before = cursor->line;
    const size_t newline = str_find(cursor->rest, '\n');
    if (newline == cursor->rest.len && newline > 0) {
        return err_set(err, ERR_UNPROCESSABLE, "a part of the findings ends without a newline");
    }
    cursor->line = str_slice(cursor->rest, 0, newline + 1);
    cursor->rest = str_slice(cursor->rest, newline + 1, cursor->rest.len);
    if (cursor->line.len > 0 && before.len > 0 && str_cmp(before, cursor->line) > 0) {
        return err_set(err, ERR_UNPROCESSABLE, "a part of the findings is not sorted");
    }
    return ERR_OK;
}

/* Restores the heap below `at`: the parent's line is not after its children's. */
static void sift_down(struct cursor *heap, size_t n, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++) {
            if (str_cmp(heap[child].line, heap[least].line) < 0) {
                least = child;
            }
        }
        if (least == at) {
            return;
        }
        const struct cursor moved = heap[at];
        heap[at] = heap[least];
        heap[least] = moved;
        at = least;
    }
}

static enum err_code merge(struct cursor *heap, size_t n, struct finding_sink sink, struct err *err)
{
    struct str last = {NULL, 0};
    for (size_t i = n / 2; i > 0; i--) {
        sift_down(heap, n, i - 1);
    }
    while (n > 0) {
        if (!str_eq(heap[0].line, last)) {
            last = heap[0].line;
            TRY(sink.on_line(sink.ctx, last, err));
        }
        TRY(advance(&heap[0], err));
        if (heap[0].line.len == 0) {
            heap[0] = heap[--n];
        }
        sift_down(heap, n, 0);
    }
    return ERR_OK;
}

enum err_code finding_merge(const struct str *parts, size_t n, struct finding_sink sink,
                            struct err *err)
{
    struct cursor *heap = calloc(n + 1, sizeof(*heap));
    enum err_code code = ERR_OK;
    size_t filled = 0;
    CHECK(heap != NULL);
    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        heap[filled] = (struct cursor){.rest = parts[i]};
        code = advance(&heap[filled], err);
        filled += heap[filled].line.len > 0;
    }
    code = code == ERR_OK ? merge(heap, filled, sink, err) : code;
    free(heap);
    return code;
}
