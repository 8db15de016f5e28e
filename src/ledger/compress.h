/*
 * ledger/compress - history chunks on disk: zstd, the raw length stored beside.
 *
 * Use      packer_new(); packer_pack() per chunk; packer_free(). Reading: chunk_unpack().
 * Threads  one thread per packer; chunk_unpack() anywhere.
 * Bounds   a chunk is at most CHUNK_RAW_MAX bytes raw.
 */
#ifndef LEDGER_COMPRESS_H
#define LEDGER_COMPRESS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { CHUNK_RAW_MAX = 64 * 1024 * 1024 };

struct packer;

struct packer *packer_new(void);
void packer_free(struct packer *packer);
/* The packed bytes; they lie in the arena. */
struct str packer_pack(struct packer *packer, struct arena *arena, struct str raw);
/* The raw bytes, in the arena. Errors: ERR_INTERNAL when the bytes are not what was packed. */
enum err_code chunk_unpack(struct arena *arena, struct str packed, int64_t raw_len,
                           struct str *out_raw, struct err *err);

#endif
