#include "ledger/compress.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/check.h"

/* Level 1: history is written on the hot path; sealed chunks can be packed harder later. */
enum { PACK_LEVEL = 1 };

struct packer {
    ZSTD_CCtx *ctx;
};

struct packer *packer_new(void)
{
    struct packer *packer = malloc(sizeof(*packer));
    CHECK(packer != NULL);
    packer->ctx = ZSTD_createCCtx();
    CHECK(packer->ctx != NULL);
    return packer;
}

void packer_free(struct packer *packer)
{
    if (packer != NULL) {
        ZSTD_freeCCtx(packer->ctx);
        free(packer);
    }
}

struct str packer_pack(struct packer *packer, struct arena *arena, struct str raw)
{
    CHECK(raw.len <= CHUNK_RAW_MAX);
    const size_t room = ZSTD_compressBound(raw.len);
    char *packed = arena_bytes(arena, room);
    const size_t len = ZSTD_compressCCtx(packer->ctx, packed, room, raw.ptr, raw.len, PACK_LEVEL);
    CHECK(ZSTD_isError(len) == 0);
    return (struct str){packed, len};
}

enum err_code chunk_unpack(struct arena *arena, struct str packed, int64_t raw_len,
                           struct str *out_raw, struct err *err)
{
    if (raw_len < 0 || raw_len > CHUNK_RAW_MAX) {
        return err_set(err, ERR_INTERNAL, "A history chunk states an impossible length.");
    }
    char *raw = arena_try_alloc(arena, (size_t)raw_len + 1);
    if (raw == NULL) {
        return err_set(err, ERR_OUT_OF_BOUNDS, "A history chunk does not fit in memory.");
    }
    const size_t len = ZSTD_decompress(raw, (size_t)raw_len, packed.ptr, packed.len);
    if (ZSTD_isError(len) != 0 || len != (size_t)raw_len) {
        return err_set(err, ERR_INTERNAL, "A history chunk does not unpack to its length.");
    }
    *out_raw = (struct str){raw, len};
    return ERR_OK;
}
