/* models_anthropic.h: the gallery in the shape of Anthropic's Models API, for callers who send
 * anthropic-version.
 *
 * Pages by limit (20, at most 1,000), after_id and before_id. Pure but for the writer. Source:
 * Anthropic API reference, "List Models", "Get a Model".
 */
#ifndef SLUICE_DATA_WORKER_MODELS_ANTHROPIC_H
#define SLUICE_DATA_WORKER_MODELS_ANTHROPIC_H

#include "common/json_write.h"

struct models_anthropic_row {
    struct str id, name;                          /* name n = 0: the id stands for it */
    uint64_t max_input_tokens, max_output_tokens; /* 0: unknown */
};

struct models_anthropic_rows {
    size_t count;
    /* Fills the n-th row; borrows until the next call. */
    void (*at)(void *arg, size_t n, struct models_anthropic_row *row);
    void *arg;
};

/* What the query asks for; values n = 0: not given. */
struct models_anthropic_page {
    struct str limit, after_id, before_id;
};

/* One model as the value that is due in w. */
void models_anthropic_row(struct json_writer *w, const struct models_anthropic_row *row);
/* A page as the value that is due in w. An id that is not in the list gives an empty page. */
void models_anthropic_list(struct json_writer *w, const struct models_anthropic_rows *rows,
                           const struct models_anthropic_page *page);

#endif
