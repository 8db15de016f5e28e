/* YAML: an object within the bounds, or a reason. */
#include "base/check.h"
#include "fuzz/fuzz.h"
#include "workers/lib/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    struct reading *reading = arena_new(&arena, struct reading);
    reading_init(reading, &arena, STR("x.yaml"));
    json_t *value = yaml_read(reading, (struct str){(const char *)data, size});
    CHECK((value != NULL) == !reading_refused(reading));
    CHECK(value == NULL || json_is_object(value));
    json_decref(value);
    arena_fini(&arena);
    return 0;
}
