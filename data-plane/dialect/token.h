/* token.h: short-lived tokens that go out in a stored credential's place: how a kind of them is
 * asked for, and read. The worker fetches and keeps them (worker/tokens.h).
 *
 *   back.sign -> signing->token(kind, scope) -> ST_OK: the token      kept and fresh
 *                                            -> ST_AGAIN              being fetched
 *                                            -> another status        told why: signing->reason
 *
 * A kind is one static row: a service account's JWT, a client's secret, a role to assume. `ask`
 * runs while the credential is open; what it writes lies in guarded memory and is wiped after use.
 * One thread; nothing here waits.
 */
#ifndef SLUICE_DATA_DIALECT_TOKEN_H
#define SLUICE_DATA_DIALECT_TOKEN_H

#include "data-plane/dialect/dialect.h"

#define TOKEN_ROOM_BYTES  (128u * 1024u) /* guarded, for one ask */
#define TOKEN_VALUE_MAX   (16u * 1024u)
#define TOKEN_ANSWER_MAX  (64u * 1024u)
#define TOKEN_HEADERS_MAX 4
#define TOKEN_REASON_MAX  256

/* What is sent for a token. `room` is guarded; everything secret is written there. */
struct token_request {
    char *room;
    size_t room_bytes, used;
    const char *method; /* static; "POST" if not set */
    struct str url;     /* in room, or static; its host must be one the credential may go to */
    struct upstream_header headers[TOKEN_HEADERS_MAX];
    size_t header_count;
    struct str secret_lines; /* in room: "name: value\n"*; n = 0: none */
    struct str body;         /* in room */
};

/* What came. */
struct token_value {
    struct str value;              /* in the answer; at most TOKEN_VALUE_MAX bytes */
    int64_t life_s;                /* from now */
    char reason[TOKEN_REASON_MAX]; /* an error: what the endpoint says; no secret */
};

struct token_kind {
    const char *name; /* tells kinds apart */
    /* Writes the request. ST_NOT_FOUND: the credential has not what it needs; ST_INVALID: it is not
     * what it should be; ST_TOO_LARGE, ST_NO_MEMORY. */
    enum status (*ask)(const struct dialect_signing *signing, struct str scope,
                       struct token_request *request);
    /* Reads an answer (any status). ST_OK; ST_CREDENTIAL_REFUSED (value->reason): asking again will
     * not help; ST_UPSTREAM_BROKEN: it may. The answer is in guarded memory and may be written
     * into. */
    enum status (*read)(int http_status, char *body, size_t n, struct token_value *value);
};

/* Guarded bytes at the end of a request's room. NULL: too many. */
char *token_room(struct token_request *request, size_t bytes);
/* A text that is put together in the room. What does not fit is seen at its end. */
struct token_text {
    char *at;
    size_t n, room;
};
/* ST_TOO_LARGE: the room has not so many bytes. */
MUST_USE enum status token_text_begin(struct token_request *request, size_t bytes,
                                      struct token_text *text);
void token_text_add(struct token_text *text, struct str bytes);
/* As a form's value: all but unreserved characters escaped (RFC 3986, 2.3). */
void token_text_escape(struct token_text *text, struct str bytes);
/* ST_TOO_LARGE: it did not fit. */
MUST_USE enum status token_text_end(const struct token_text *text, struct str *whole);
/* Copies a secret of the open credential into the room. ST_NOT_FOUND, ST_TOO_LARGE. */
MUST_USE enum status token_secret(const struct dialect_signing *signing,
                                  struct token_request *request, struct str name,
                                  struct str *value);
/* The members access_token and expires_in of an OAuth answer (RFC 6749, 5.1), or its error (5.2),
 * as token_kind.read. */
MUST_USE enum status token_read_oauth(int http_status, char *body, size_t n,
                                      struct token_value *value);

#endif
