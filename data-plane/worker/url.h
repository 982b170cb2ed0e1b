/* url.h: the few parts of an http(s) URL that the gateway decides by. Strict and pure; libcurl gets
 * the same text. */
#ifndef SLUICE_DATA_WORKER_URL_H
#define SLUICE_DATA_WORKER_URL_H

#include "common/arena.h"

struct url_parts {
    bool tls;
    struct str host; /* as in the text; IPv6 without brackets */
    uint16_t port;
    struct str path; /* from the first '/', or empty */
};

/* http:// or https://, host, optional :port, optional path. ST_INVALID: userinfo, fragment, control
 * bytes, spaces, backslash, empty host, port 0 or out of range. */
MUST_USE enum status url_split(struct str url, struct url_parts *parts);

/* True if "host" or "host:port" is an item of the comma list. */
bool url_host_is_among(struct str hosts, struct str host, uint16_t port);

/* `query` without the pairs that hold an API key of ours, or `secret` (may be empty), escaped or
 * not. Borrows `query` if none does, else an arena copy. ST_NO_MEMORY. */
MUST_USE enum status url_query_without_keys(struct arena *arena, struct str query,
                                            struct str secret, struct str *out);
/* `query` without the parameter `name`. As above. */
MUST_USE enum status url_query_without(struct arena *arena, struct str query, struct str name,
                                       struct str *out);

#endif
