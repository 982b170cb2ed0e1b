/* terms.c: see terms.h.
 *
 * A workspace may be charged a price of its own for a model. It names the model as the caller does,
 * as the integration's row does (a pattern included), or as the catalog does; the first that is
 * known holds.
 */
#include "data-plane/worker/terms.h"

#include "common/clock.h"

/* The control plane's UTC, never behind the instant at which it made the newest change that this
 * catalog shows: the courier learns the time before it applies a change, and a change that holds
 * from now on must hold for the next attempt. */
static int64_t now_ms(const struct req *req)
{
    const struct segment_status *shared = &req->worker->segment.head->status;
    clock_set_offset(atomic_load_explicit(&shared->utc_offset_ms, memory_order_relaxed));
    return clock_utc_ms();
}

/* The page of a book that holds now; n = 0: none. */
static struct str page_now(struct req *req, struct str book)
{
    struct str page;
    if (price_book_at(book, req->attempt.terms.at_ms, &page) != ST_OK || page.n == 0)
        return STR_NONE;
    return arena_str(&req->arena, page);
}

static struct str access_book(const struct req *req, const struct authorize_view *view)
{
    struct str all = cat_str(&view->access->head, view->access->model_prices), book = STR_NONE;
    const struct str names[] = {
        req->attempt.model,
        view->rule == NULL ? STR_NONE : cat_str(&view->rules->head, view->rule->slug),
        view->model == NULL ? STR_NONE : cat_str(&view->model->head, view->model->slug),
    };
    for (size_t i = 0; i < COUNT_OF(names) && book.n == 0 && all.n > 0; i++)
        if (names[i].n > 0 && price_book_of_model(all, names[i], &book) != ST_OK)
            return STR_NONE;
    return book;
}

void terms_copy(struct req *req, const struct authorize_view *view)
{
    struct price_terms *terms = &req->attempt.terms;
    const struct cat_integration *integration = view->integration;
    *terms = (struct price_terms){.at_ms = now_ms(req), .ceiling_picousd = -1};
    if (view->model != NULL)
        terms->catalog = page_now(req, cat_str(&view->model->head, view->model->prices));
    if (view->rule != NULL)
        terms->rule = page_now(req, cat_str(&view->rules->head, view->rule->prices));
    terms->adjust = page_now(req, cat_str(&integration->head, integration->price_adjusts));
    if (view->access == NULL)
        return;
    terms->access = page_now(req, access_book(req, view));
    terms->access_adjust = page_now(req, cat_str(&view->access->head, view->access->price_adjusts));
}
