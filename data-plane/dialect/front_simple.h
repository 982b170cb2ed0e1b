/* front_simple.h: what the fronts without a conversation share. */
#ifndef SLUICE_DATA_DIALECT_FRONT_SIMPLE_H
#define SLUICE_DATA_DIALECT_FRONT_SIMPLE_H

#include "data-plane/dialect/front_openai_chat.h"
#include "data-plane/dialect/simple.h"

/* 400: a member is not what it must be. */
static inline enum status front_simple_wrong(struct dialect_call *call, const char *field,
                                             const char *rule)
{
    return dialect_refuse(call, ST_INVALID, "%s: %s", field, rule);
}

/* A raw member as a string that is not empty. ST_INVALID. */
static inline enum status front_simple_text(struct dialect_call *call, struct str raw,
                                            const char *field, struct chat_text *text)
{
    if (raw.n <= 2 || raw.p[0] != '"')
        return front_simple_wrong(call, field, "a string is required.");
    text->raw = raw;
    return ST_OK;
}

/* A raw member as a whole number from 1 to `most`. ST_INVALID. */
static inline enum status front_simple_count(struct dialect_call *call, struct str raw,
                                             const char *field, uint64_t most, uint64_t *count)
{
    if (str_to_u64(raw, count) != ST_OK || *count == 0 || *count > most)
        return dialect_refuse(call, ST_INVALID, "%s: must be a whole number from 1 to %llu.", field,
                              (unsigned long long)most);
    return ST_OK;
}

#endif
