/* Any text: what is read is written in one canonical form, which reads as the same. */
#include "base/json.h"
#include "fuzz/fuzz.h"

enum { OUT_MAX = 64 * 1024 * 1024 };

static json_t *read_or_null(struct str text)
{
    json_t *value = NULL;
    struct err err = {0};
    const enum err_code code = json_read(text, &value, &err);
    CHECK((code == ERR_OK) == (value != NULL));
    CHECK(code == ERR_OK || code == ERR_MALFORMED_JSON);
    return value;
}

static void write(const json_t *value, struct buf *out)
{
    struct json_writer writer;
    buf_init(out, OUT_MAX);
    json_begin(&writer, out);
    json_put_value(&writer, value);
    CHECK(!out->overflow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *first = read_or_null((struct str){(const char *)data, size});
    if (first == NULL) {
        return 0;
    }
    CLEANUP(buf_fini) struct buf once;
    CLEANUP(buf_fini) struct buf twice;
    write(first, &once);
    json_t *second = read_or_null(buf_get(&once));
    CHECK(second != NULL);
    write(second, &twice);
    CHECK(str_eq(buf_get(&once), buf_get(&twice)));
    json_decref(first);
    json_decref(second);
    return 0;
}
