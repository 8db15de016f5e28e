/*
 * auth/token - access tokens: "stl_" and 32 random bytes in base64url. The ledger keeps their
 * SHA-256 only.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

enum { TOKEN_TEXT = 48 };

/* A new one, NUL-terminated. */
void token_make(char out[TOKEN_TEXT]);
/* False for what token_make() never writes. */
bool token_is_well_formed(struct str text);
/* The token of "Bearer stl_…"; false when the header is not that. */
bool token_of_header(struct str header, struct str *out_token);
/* What the ledger keeps. */
struct sha256 token_hash(struct str text);
/* Reads the token that `path` holds; when there is no such file, makes one and writes it, mode
 * 0600, durable before it returns. A file that others may read is refused. */
enum err_code token_file(const char *path, char out[TOKEN_TEXT], bool *out_made, struct err *err);

#endif
