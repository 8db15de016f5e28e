/* Runs a fuzz target once over every file below the folders named on the command line. */
#include <fts.h>
#include <stdio.h>

#include "base/buf.h"
#include "fuzz/fuzz.h"

enum { INPUT_MAX = 64 * 1024 * 1024 };

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct buf bytes;
    size_t got = 0;
    if (file == NULL) {
        (void)fprintf(stderr, "%s cannot be opened\n", path);
        return 1;
    }
    buf_init(&bytes, INPUT_MAX);
    do {
        char *room = buf_reserve(&bytes, 1 << 16);
        got = room == NULL ? 0 : fread(room, 1, 1 << 16, file);
        bytes.len += got;
    } while (got > 0);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)bytes.ptr, bytes.len);
    buf_fini(&bytes);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    size_t files = 0;
    FTS *tree = argc > 1 ? fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    if (tree == NULL) {
        (void)fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
        return 2;
    }
    for (const FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree)) {
        if (entry->fts_info == FTS_F) {
            failed |= replay(entry->fts_accpath);
            files++;
        }
    }
    (void)fts_close(tree);
    (void)printf("%zu inputs\n", files);
    return files == 0 ? 1 : failed;
}
