/* params.h: the rule of every parameter at one provider, and the one place where it is applied.
 *
 * A back has a table params of CHAT_PARAM_COUNT rules, usually from a file back_<name>.def with one
 * RULE(NAME, action, as, note) per row of params.def. What is dropped is listed in the answer's
 * header x-sluice-dropped-params; what is refused is a 400 that names field, provider and remedy;
 * nothing is changed silently. Pure but for the call it is given.
 */
#ifndef SLUICE_DATA_DIALECT_PARAMS_H
#define SLUICE_DATA_DIALECT_PARAMS_H

#include "common/json_write.h"
#include "data-plane/dialect/chat.h"

struct dialect_call;

enum param_action {
    PARAM_UNRULED, /* a row that a table lacks: params_check finds it */
    PARAM_PASS,    /* written as it came, under the name `as` or what the row calls that */
    PARAM_CONVERT, /* the back's own code writes it, drops it or refuses it */
    PARAM_DROP,    /* left out and listed, unless its value is plain */
    PARAM_REFUSE,  /* 400, unless its value is plain; `note` is the remedy */
};

struct param_rule {
    enum param_action action;
    const char *as;   /* PASS */
    const char *note; /* REFUSE: what to do instead, a sentence; else how it is converted */
};

/* OpenAI's name. */
const char *params_text(enum chat_param_name name);
/* True if the parameter was given with a value that asks for something. */
bool params_asks(const struct chat *chat, enum chat_param_name name);
/* What the provider's row calls a top-level member (dialect_target.renames); else `name`. */
struct str params_renamed(const struct dialect_call *call, const char *name);
/* True if the model is known to the catalog and has the capability, or is not known to it. */
bool params_model_may(const struct dialect_call *call, const char *capability);
/* True if the value is the one that asks for nothing, however it is spelled; "" is none. */
bool params_is_plain(const struct json *value, struct str plain);
/* 400: the provider cannot honour `field`; `note` is the remedy, or NULL. */
enum status params_refuse(struct dialect_call *call, const char *field, const char *note);
/* Applies the rules, in the order of params.def: writes what passes as members of the object that
 * is open in w, lists what drops. ST_INVALID: refused (dialect_refuse has been called). */
MUST_USE enum status params_apply(struct dialect_call *call,
                                  const struct param_rule rules[CHAT_PARAM_COUNT],
                                  struct json_writer *w);
/* Writes the extras whose names are in `names` (ended by NULL), overlooks those in `taken` (which
 * the back has used otherwise), lists all others as dropped. */
void params_extras(struct dialect_call *call, const char *const *names, const char *const *taken,
                   struct json_writer *w);
/* The extra of that name, or NULL. */
const struct json *params_extra(const struct chat *chat, const char *name);
/* True if the front has read that extra as well (front.read_members): then the chat says it, and a
 * back that knows the member need not. */
bool params_is_read(const struct dialect_call *call, const char *name);
/* The first parameter that a table has no rule for, or CHAT_PARAM_COUNT. */
enum chat_param_name params_check(const struct param_rule rules[CHAT_PARAM_COUNT]);

#endif
