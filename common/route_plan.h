/* route_plan.h: a routing document ("config"), compiled: what the request path reads.
 *
 *   document (JSON) --route_doc.h--> plan: one run of bytes without pointers, in a catalog record
 * or in a request's arena
 *
 *   [head][nodes][conditions][terms][paths][words: regex programs][text]
 *
 * A node is one level of the document: the root, or a target. Nodes stand breadth first, so a
 * node's targets are neighbours and a parent comes before its children. What children inherit
 * (gateway-semantics.md section 2.3) was laid out when the plan was made: every node holds its own
 * effective settings. A plan that was refused holds only the reason.
 *
 * Plans are read in place after route_plan_open, which checks every place in them, so that a
 * damaged record can give wrong answers but no wild read. Little-endian as memory is;
 * ROUTE_PLAN_VERSION changes with any layout here. Pure; borrows.
 */
#ifndef SLUICE_COMMON_ROUTE_PLAN_H
#define SLUICE_COMMON_ROUTE_PLAN_H

#include "common/arena.h"

#define ROUTE_PLAN_VERSION   1
#define ROUTE_PLAN_MAX       (1u << 20) /* bytes */
#define ROUTE_NODES_MAX      256
#define ROUTE_DEPTH_MAX      8   /* levels of targets below the root */
#define ROUTE_CONDITIONS_MAX 256 /* of a document */
#define ROUTE_TERMS_MAX      2048
#define ROUTE_PATHS_MAX      64 /* distinct keys that conditions ask for */
#define ROUTE_QUERY_DEPTH    16
#define ROUTE_WEIGHT_ONE     1000000 /* a weight of 1, in millionths */
#define ROUTE_RETRIES_MAX    5
#define ROUTE_NONE           0xFFFFu

struct route_ref {
    uint32_t off, len; /* in the text */
};

enum route_mode { ROUTE_LEAF, ROUTE_SINGLE, ROUTE_FALLBACK, ROUTE_LOADBALANCE, ROUTE_CONDITIONAL };

/* A set of HTTP statuses 100..599. */
struct route_codes {
    uint64_t bits[8];
};

static inline bool route_codes_has(const struct route_codes *codes, int http_status)
{
    unsigned at = (unsigned)http_status - 100u;
    return at < 500 && (codes->bits[at / 64] >> (at % 64) & 1) != 0;
}

enum route_timeout {
    ROUTE_TIMEOUT_REQUEST, /* request_timeout: until the answer's head; 408 */
    ROUTE_TIMEOUT_CONNECT,
    ROUTE_TIMEOUT_FIRST_BYTE,
    ROUTE_TIMEOUT_IDLE,
    ROUTE_TIMEOUT_TOTAL,
    ROUTE_TIMEOUTS
};

enum route_switch { ROUTE_NOT_SAID, ROUTE_ON, ROUTE_OFF };

/* What a target has from its parents where it says nothing itself. 0, n = 0: not said. */
struct route_settings {
    struct route_ref override_params; /* a JSON object, parents' and own merged */
    struct route_ref custom_host;
    struct route_ref forward_headers; /* lower-case names, each ended by '\n' */
    struct route_codes retry_codes;   /* if retry_has_codes */
    uint32_t timeout_ms[ROUTE_TIMEOUTS];
    uint32_t cache_max_age_s; /* 0: not said */
    uint8_t retry_attempts, retry_uses_header, retry_has_codes;
    uint8_t cache;      /* enum route_switch: ROUTE_ON is mode simple */
    uint8_t strict;     /* enum route_switch: strict_open_ai_compliance */
    uint8_t keep_alive; /* enum route_switch: comments in a silent stream */
    uint8_t spare[2];
};

#define ROUTE_HAS_CODES       1u /* on_status_codes is given; fallback_codes may be empty */
#define ROUTE_HAS_CREDENTIALS 2u /* the level brings its own */

struct route_node {
    uint8_t mode; /* enum route_mode */
    uint8_t depth;
    uint16_t flags;
    uint16_t parent;       /* ROUTE_NONE: the root */
    uint16_t first, count; /* its targets */
    uint16_t first_condition, conditions;
    uint16_t otherwise; /* conditional: the node of `default`, or ROUTE_NONE */
    int64_t weight;     /* millionths; 0 is never drawn */
    struct route_codes fallback_codes;
    struct route_ref path; /* "config", "config.targets[1]" */
    struct route_ref name;
    struct route_ref provider; /* slug, or provider's name if it has credentials; without '@' */
    struct route_ref
        model; /* override_params.model in force, unescaped: "gpt-4o", "@slug/gpt-4o" */
    struct route_ref options; /* a JSON object: api_key and provider options of this level */
    struct route_settings set;
};

struct route_condition {
    uint16_t term; /* its query */
    uint16_t node; /* where it leads: a target of the same level */
};

enum route_test {
    ROUTE_ALL, /* groups: the terms from behind it up to `end` */
    ROUTE_ANY,
    ROUTE_EQ,
    ROUTE_GT,
    ROUTE_GTE,
    ROUTE_LT,
    ROUTE_LTE,
    ROUTE_REGEX,
};

struct route_term {
    uint8_t test;   /* enum route_test */
    uint8_t negate; /* $ne, $nin */
    uint8_t type;   /* ROUTE_EQ: enum json_type of the operand */
    uint8_t spare;
    uint16_t path;            /* not of groups */
    uint16_t end;             /* first term behind this one and what it holds */
    struct route_ref operand; /* text (strings unescaped); ROUTE_REGEX: place and length in words */
};

enum route_root { ROUTE_METADATA, ROUTE_PARAMS, ROUTE_URL };

struct route_path {
    uint32_t root;         /* enum route_root */
    struct route_ref rest; /* "team", "messages.0.role", "pathname" */
};

struct route_head {
    uint32_t magic, version, bytes;
    uint16_t nodes, conditions, terms, paths;
    uint32_t words, text;
    struct route_ref refusal; /* why the document cannot be used; then there are no nodes */
    struct route_ref guards; /* "config.input_guardrails\n"*: keys that this gateway does not run */
    struct route_ref warnings; /* "sentence\n"* */
    uint32_t spare;
};
_Static_assert(sizeof(struct route_head) % 8 == 0 && sizeof(struct route_node) % 8 == 0,
               "nodes stand aligned behind the head");

struct route_plan {
    const struct route_head *head;
    const struct route_node *nodes;
    const struct route_condition *conditions;
    const struct route_term *terms;
    const struct route_path *paths;
    const uint32_t *words;
    struct str text;
};

/* bytes: a plan, aligned to 8; borrowed by *plan. ST_BAD_FORMAT. */
MUST_USE enum status route_plan_open(struct str bytes, struct route_plan *plan);

/* The text of a ref. */
static inline struct str route_str(const struct route_plan *plan, struct route_ref ref)
{
    return str_of(plan->text.p + ref.off, ref.len);
}

/* The sentence that refuses a document because of its guards, in the arena; n = 0 if it has none, p
 * = NULL without memory. */
struct str route_plan_guarded(struct arena *arena, const struct route_plan *plan);

#endif
