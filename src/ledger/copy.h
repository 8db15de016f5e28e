/*
 * ledger/copy - what backup and restore share: artifacts and files copied, each checked. Included by
 * them only.
 */
#ifndef LEDGER_COPY_H
#define LEDGER_COPY_H

#include "ledger/ledger.h"

enum { COPY_PATH = 4096, COPY_FOLDER_MODE = 0700, COPY_FILE_MODE = 0600 };

struct copied {
    int64_t blobs;
    int64_t bytes;
};

/* Copies the blobs of the tenants that `to` has; one that does not have its digest is an error. */
enum err_code copy_blobs(const struct ledger_target *from, const struct ledger_target *to,
                         struct copied *out, struct err *err);
/* The digest of a file's bytes. With `to`, which must not be there, they are also written there,
 * durably. */
enum err_code copy_file(const char *path, const char *to, char out_digest[SHA256_HEX + 1],
                        struct err *err);
/* ERR_IO with the reason in errno. */
enum err_code copy_failed(struct err *err, const char *what, const char *path);

#endif
