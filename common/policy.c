/* policy.c: the decision of policy.h.
 *
 * Invariant: an allow is found by exact bytes only, a deny by every form of the id, so whatever a
 * caller invents as a spelling can lose a permission but never win one. What decides does not
 * depend on the order of rows (the index breaks ties between rows that say the same). Never sees
 * limits, money or status: those are asked elsewhere.
 */
#include "common/policy.h"

/* Exactness of a match: patterns by their literal bytes, then variants, then the id itself. */
#define RANK_VARIANT (POLICY_MODEL_MAX + 1)
#define RANK_EXACT   (POLICY_MODEL_MAX + 2)

struct best {
    int rank; /* -1: no row applies */
    ptrdiff_t rule;
    struct policy_rule row;
};

void policy_rule_of_array(const void *rules, size_t n, struct policy_rule *rule)
{
    *rule = ((const struct policy_rule *)rules)[n];
}

static bool is_pattern(struct str slug)
{
    return str_find_char(slug, '*') >= 0;
}

static int literal_bytes(struct str pattern)
{
    int count = 0;
    for (size_t i = 0; i < pattern.n; i++)
        count += pattern.p[i] != '*';
    return count < POLICY_MODEL_MAX ? count : POLICY_MODEL_MAX;
}

static int rank_allow(const struct policy_rule *rule, struct str id)
{
    if (is_pattern(rule->slug))
        return str_glob(rule->slug, id) ? literal_bytes(rule->slug) : -1;
    return str_eq(rule->slug, id) ? RANK_EXACT : -1;
}

static bool deny_pattern_applies(const struct policy_model *model, struct str pattern)
{
    char lower[POLICY_MODEL_MAX];
    if (pattern.n > sizeof(lower))
        return false;
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return str_glob(pattern, model->raw) || policy_model_glob(model, str_of(lower, pattern.n));
}

static int rank_deny(const struct policy_rule *rule, const struct policy_model *model)
{
    char room[POLICY_MODEL_MAX];
    struct str named = rule->canonical;
    if (is_pattern(rule->slug))
        return deny_pattern_applies(model, rule->slug) ? literal_bytes(rule->slug) : -1;
    if (named.n == 0 && policy_model_canonical(rule->slug, room, &named) != ST_OK)
        return -1;
    switch (policy_model_compare(model, named)) {
    case POLICY_MODEL_SAME:
        return RANK_EXACT;
    case POLICY_MODEL_VARIANT:
        return RANK_VARIANT;
    default:
        return -1;
    }
}

static void find_best(const struct policy_input *input, const struct policy_model *model,
                      struct best *best)
{
    *best = (struct best){.rank = -1, .rule = -1};
    for (size_t i = 0; i < input->rule_count; i++) {
        struct policy_rule rule;
        input->rule_at(input->rules, i, &rule);
        if (rule.listing)
            continue;
        int rank = rule.enabled ? rank_allow(&rule, model->raw) : rank_deny(&rule, model);
        bool tie_to_deny = rank == best->rank && best->row.enabled && !rule.enabled;
        if (rank >= 0 && (rank > best->rank || tie_to_deny))
            *best = (struct best){rank, (ptrdiff_t)i, rule};
    }
}

static enum policy_match match_of(int rank)
{
    if (rank < 0)
        return POLICY_MATCH_NONE;
    if (rank == RANK_EXACT)
        return POLICY_MATCH_EXACT;
    return rank == RANK_VARIANT ? POLICY_MATCH_VARIANT : POLICY_MATCH_PATTERN;
}

/* Is the target of an alias denied by a row that names it? */
static bool upstream_denied(const struct policy_input *input, struct str upstream,
                            struct best *best)
{
    struct policy_model model;
    if (policy_model_init(&model, upstream) != ST_OK) {
        *best = (struct best){.rank = -1, .rule = -1};
        return true;
    }
    find_best(input, &model, best);
    return best->rank >= RANK_VARIANT && !best->row.enabled;
}

/* Is `id` in a list of '\n'-ended patterns? An empty list does not narrow. */
static bool list_allows(struct str list, struct str id, struct str qualified)
{
    struct str entry;
    bool any = false;
    while (str_split(&list, '\n', &entry)) {
        if (entry.n == 0)
            continue;
        any = true;
        if (str_glob(entry, id) || (qualified.n > 0 && str_glob(entry, qualified)))
            return true;
    }
    return !any;
}

/* The catalog slug that prices an allowed model. `rule`: the row that names it, or NULL. */
static struct str priced_model(const struct policy_input *input, const struct policy_rule *rule,
                               struct str upstream)
{
    if (rule != NULL && rule->base_model.n > 0 &&
        input->in_catalog(input->catalog, rule->base_model))
        return rule->base_model;
    if (input->in_catalog(input->catalog, upstream))
        return upstream;
    bool other = !str_eq(upstream, input->model) && input->in_catalog(input->catalog, input->model);
    return other ? input->model : (struct str){input->model.p, 0};
}

/* The integration's own answer, into `verdict`. */
static void decide_rules(const struct policy_input *input, struct policy_verdict *verdict)
{
    struct policy_model model;
    struct best best;
    verdict->in_catalog = input->in_catalog(input->catalog, input->model);
    verdict->level = POLICY_LEVEL_INTEGRATION;
    verdict->outcome = POLICY_NOT_LISTED;
    if (input->model.n == 0 || policy_model_init(&model, input->model) != ST_OK)
        return;
    find_best(input, &model, &best);
    verdict->rule = best.rule;
    verdict->match = match_of(best.rank);
    if (best.rank >= 0 && !best.row.enabled) {
        verdict->outcome = POLICY_DENIED_BY_RULE;
        return;
    }
    bool named = best.rank == RANK_EXACT;
    struct str upstream = input->model;
    if (named && best.row.upstream_model.n > 0) {
        struct best target;
        upstream = best.row.upstream_model;
        if (!str_eq(upstream, input->model) && upstream_denied(input, upstream, &target)) {
            verdict->outcome = POLICY_DENIED_BY_RULE;
            verdict->by_upstream = true;
            verdict->rule = target.rule;
            verdict->match = match_of(target.rank);
            return;
        }
    }
    bool known = named || verdict->in_catalog;
    if (!input->allow_all_models && (best.rank < 0 || !known))
        return;
    verdict->outcome = known ? POLICY_ALLOWED : POLICY_UNLISTED_ALLOWED;
    verdict->level = best.rank >= 0 ? POLICY_LEVEL_INTEGRATION : POLICY_LEVEL_NONE;
    verdict->upstream_model = upstream;
    verdict->priced_model = priced_model(input, named ? &best.row : NULL, upstream);
}

void policy_decide(const struct policy_input *input, struct policy_verdict *verdict)
{
    *verdict = (struct policy_verdict){.rule = -1};
    decide_rules(input, verdict);
    if (verdict->outcome != POLICY_ALLOWED && verdict->outcome != POLICY_UNLISTED_ALLOWED)
        return;
    if (!list_allows(input->provider_allowed, input->model, input->qualified)) {
        verdict->outcome = POLICY_NARROWED_BY_PROVIDER;
        verdict->level = POLICY_LEVEL_PROVIDER;
    } else if (!list_allows(input->key_allowed, input->model, input->qualified)) {
        verdict->outcome = POLICY_NARROWED_BY_KEY;
        verdict->level = POLICY_LEVEL_KEY;
    } else {
        return;
    }
    verdict->rule = -1;
    verdict->match = POLICY_MATCH_NONE;
    verdict->upstream_model = verdict->priced_model = (struct str){input->model.p, 0};
}

enum status policy_status(const struct policy_verdict *verdict)
{
    switch (verdict->outcome) {
    case POLICY_ALLOWED:
    case POLICY_UNLISTED_ALLOWED:
        return ST_OK;
    case POLICY_NOT_LISTED:
        return verdict->in_catalog ? ST_MODEL_NOT_ALLOWED : ST_UNLISTED_MODEL;
    default:
        return ST_MODEL_NOT_ALLOWED;
    }
}

const char *policy_outcome_text(enum policy_outcome outcome)
{
    static const char *const texts[] = {
        [POLICY_ALLOWED] = "allowed",
        [POLICY_UNLISTED_ALLOWED] = "unlisted_allowed",
        [POLICY_DENIED_BY_RULE] = "denied_by_rule",
        [POLICY_NOT_LISTED] = "not_listed",
        [POLICY_NARROWED_BY_PROVIDER] = "narrowed_by_provider",
        [POLICY_NARROWED_BY_KEY] = "narrowed_by_key",
    };
    CHECK((size_t)outcome < COUNT_OF(texts));
    return texts[outcome];
}
