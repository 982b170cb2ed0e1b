/* openai_model.c: see openai_model.h.
 *
 *   o1, o3, o4-mini          low medium high                    gpt-5      minimal low medium high
 *   gpt-5.1                  none low medium high               gpt-5.2    none low medium high
 * xhigh gpt-5-chat-latest        does not reason                    gpt-4o ... does not reason
 *   gpt-oss                  low medium high, and samples
 *
 * Source: OpenAI's model pages and "Reasoning models" (parameters that they refuse). A model that
 * is not in the table and not in the catalog is sent what the caller asked for: its provider knows.
 */
#include "data-plane/dialect/openai_model.h"

#define BIT(effort) (1u << CHAT_EFFORT_##effort)
#define COMMON      (BIT(LOW) | BIT(MEDIUM) | BIT(HIGH))

/* The first that a name begins with. */
static const struct {
    const char *prefix;
    bool reasons, sampling;
    unsigned efforts;
} rows[] = {
    {"gpt-oss", true, true, COMMON},
    {"gpt-5-chat", false, true, 0},
    {"gpt-5.1-chat", false, true, 0},
    {"gpt-5.1-codex-max", true, false, BIT(NONE) | COMMON | BIT(XHIGH)},
    {"gpt-5.1", true, false, BIT(NONE) | COMMON},
    {"gpt-5.", true, false, BIT(NONE) | COMMON | BIT(XHIGH)},
    {"gpt-5", true, false, BIT(MINIMAL) | COMMON},
    {"gpt-4", false, true, 0},
    {"gpt-3.5", false, true, 0},
    {"chatgpt-4o", false, true, 0},
    {"gpt-", true, false, BIT(NONE) | COMMON | BIT(XHIGH)},
    {"o1", true, false, COMMON},
    {"o3", true, false, COMMON},
    {"o4", true, false, COMMON},
};

/* Without a vendor's path in front and without "ft:". */
static struct str bare(struct str name)
{
    for (size_t i = name.n; i > 0; i--)
        if (name.p[i - 1] == '/') {
            name = str_from(name, i);
            break;
        }
    return str_starts(name, STR("ft:")) ? str_from(name, 3) : name;
}

/* "o1" is no prefix of "o100": what follows a name is its end or no digit. */
static bool is_row(struct str name, struct str prefix)
{
    char next;
    if (!str_starts(name, prefix))
        return false;
    next = name.n > prefix.n ? name.p[prefix.n] : '-';
    return prefix.p[0] != 'o' || next < '0' || next > '9';
}

void openai_model_of(const struct dialect_call *call, struct openai_model *model)
{
    const struct dialect_target *target = call->target;
    struct str name = bare(target->base_model.n > 0 ? target->base_model : target->model);
    bool listed = target->capabilities.n > 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (is_row(name, str_c(rows[i].prefix))) {
            *model =
                (struct openai_model){rows[i].reasons, rows[i].sampling, true, rows[i].efforts};
            return;
        }
    *model = (struct openai_model){.reasons = params_model_may(call, "reasoning"),
                                   .sampling = true,
                                   .known = listed,
                                   .efforts = COMMON};
    if (!model->reasons)
        model->efforts = 0;
}

enum chat_effort openai_model_effort(const struct openai_model *model, enum chat_effort wish)
{
    for (unsigned effort = (unsigned)wish; effort >= CHAT_EFFORT_NONE; effort--)
        if ((model->efforts >> effort & 1u) != 0 &&
            (effort > CHAT_EFFORT_NONE || wish == CHAT_EFFORT_NONE))
            return (enum chat_effort)effort;
    for (unsigned effort = (unsigned)wish + 1; effort <= CHAT_EFFORT_MAX; effort++)
        if ((model->efforts >> effort & 1u) != 0)
            return (enum chat_effort)effort;
    return CHAT_EFFORT_UNSAID;
}
