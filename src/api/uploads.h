/*
 * api/uploads - PUT /artifacts/{sha256}: bytes to the blob store as they come.
 *
 *   NEW ─▶ CHECKING (token, lease) ─▶ OPEN ⇄ FLUSHING ─▶ finished
 *
 * The transport thread fills a buffer; when it is full the exchange waits while a pool thread
 * writes it. So one upload never has two threads, and holds UPLOAD_BUFFER bytes at most.
 */
#ifndef API_UPLOADS_H
#define API_UPLOADS_H

#include "api/call.h"

enum { UPLOAD_BUFFER = 256 * 1024 };

/* From call_on_begin(): takes over the body. */
void upload_begin(struct call *call);

#endif
