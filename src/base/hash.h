/*
 * base/hash - SHA-256 for identity, SipHash-2-4 for tables and keyed randomness.
 *
 * Source   FIPS 180-4 (through OpenSSL); Aumasson & Bernstein, SipHash, 2012.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { SHA256_SIZE = 32, SHA256_HEX = 64 };

struct sha256 {
    unsigned char bytes[SHA256_SIZE];
};

struct hash_key {
    uint64_t k[2];
};

/* Streaming digest; opaque, heap. */
struct sha256_stream;
struct sha256_stream *sha256_stream_new(void);
void sha256_stream_add(struct sha256_stream *stream, struct str bytes);
/* The digest of what was added; the stream begins anew. */
struct sha256 sha256_stream_finish(struct sha256_stream *stream);
void sha256_stream_free(struct sha256_stream *stream);

struct sha256 sha256_of(struct str bytes);
bool sha256_eq(const struct sha256 *a, const struct sha256 *b);
/* 64 lower-case hexadecimal digits and a NUL. */
void sha256_format(const struct sha256 *digest, char out[SHA256_HEX + 1]);
/* Accepts exactly 64 lower-case hexadecimal digits. */
bool sha256_parse(struct str hex, struct sha256 *out_digest);

/* SipHash-2-4 of the bytes. */
uint64_t hash_keyed(const struct hash_key *key, struct str bytes);

#endif
