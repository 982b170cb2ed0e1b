/* refusal.h: how the gateway itself answers: refusals in the caller's dialect, and the headers on every answer. */
#ifndef SLUICE_DATA_WORKER_REFUSAL_H
#define SLUICE_DATA_WORKER_REFUSAL_H

#include "data-plane/worker/req.h"

#define REPLY_HEADERS_MAX 64

/* Appends the headers that every answer carries (x-request-id, x-portkey-*, x-sluice-*) to `headers`; returns the new count. Values live
 * in the request's arena. `source`: "gateway" or "provider". */
size_t refusal_common_headers(struct req *req, struct reply_header *headers, size_t count, const char *source);

/* The error object as JSON in the caller's dialect: OpenAI's {"error":{...}} or Anthropic's {"type":"error",...}. */
void refusal_write_body(struct req *req, struct buf *out);

#endif
