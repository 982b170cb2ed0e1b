/* analytics_groups.c: GET /v1/analytics/groups/...: who and what used how much, the most first.
 *
 *   users  ai-models  workspaces  metadata/{key}  and any {key} of metadata, as the JavaScript
 * client asks
 *
 * From the ledger's sums, as the graphs (analytics.c) and with their filters; users
 * are the people whose keys were used. Money is in US cents.
 * Amounts are texts where the documented API has texts. `last_seen` is the beginning of the last
 * period that has a request: sums do not know more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control-plane/api/analytics.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"

#define PAGE_SIZE 100

enum group_kind { USERS, AI_MODELS, WORKSPACES, METADATA };

static const struct {
    const char *path;
    enum group_kind kind;
    unsigned group;
} groups[] = {
    {"users", USERS, LEDGER_BY_USER},
    {"ai-models", AI_MODELS, LEDGER_BY_MODEL},
    {"workspaces", WORKSPACES, LEDGER_BY_WORKSPACE},
};

/* --- rows --- */

/* By what they are grouped by, then by time. */
static int by_group(const void *a, const void *b)
{
    const struct ledger_row *x = a, *y = b;
    int order = memcmp(&x->workspace, &y->workspace, sizeof x->workspace);
    order = order != 0 ? order : memcmp(&x->user, &y->user, sizeof x->user);
    order = order != 0 ? order : str_cmp(x->text, y->text);
    return order != 0 ? order : (x->period_ms > y->period_ms) - (x->period_ms < y->period_ms);
}

/* The most requests first; equal ones in a fixed order. */
static int by_requests(const void *a, const void *b)
{
    const struct ledger_row *x = a, *y = b;
    if (x->totals.requests != y->totals.requests)
        return x->totals.requests < y->totals.requests ? 1 : -1;
    return by_group(a, b);
}

/* Joins the rows of one group; period_ms becomes that of its last. */
static void merge(struct ledger_answer *answer)
{
    size_t kept = 0;
    if (answer->count == 0)
        return;
    qsort(answer->rows, answer->count, sizeof *answer->rows, by_group);
    for (size_t i = 1; i < answer->count; i++) {
        struct ledger_row *last = &answer->rows[kept], *row = &answer->rows[i];
        if (!id_eq(&last->workspace, &row->workspace) || !id_eq(&last->user, &row->user) ||
            !str_eq(last->text, row->text)) {
            answer->rows[++kept] = *row;
            continue;
        }
        rollup_totals_add(&last->totals, &row->totals);
        if (row->totals.requests > 0)
            last->period_ms = row->period_ms;
    }
    answer->count = kept + 1;
    qsort(answer->rows, answer->count, sizeof *answer->rows, by_requests);
}

/* --- writing --- */

static void field_text_u64(struct json_writer *w, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    jw_field_cstr(w, name, text);
}

static void field_text_cents(struct json_writer *w, const char *name, int64_t nanousd)
{
    struct buf text;
    struct json_writer inner;
    buf_init(&text, 64);
    jw_init(&inner, &text);
    jw_decimal(&inner, nanousd, ANALYTICS_CENTS);
    jw_field_str(w, name, buf_str(&text));
    buf_free(&text);
}

static enum status write_workspace(struct api_call *call, const struct id *id)
{
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE, call->auth.org, ID_NONE, *id};
    Sluice__Workspace *workspace;
    jw_field_id(&call->json, "workspace_id", id);
    enum status status = record_get(call->txn, &key, call->arena, &workspace, NULL);
    if (status == ST_OK)
        jw_field_cstr(&call->json, "workspace_slug", workspace->slug);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

/* The e-mail address; the id of somebody who is gone. */
static enum status write_user(struct api_call *call, const struct id *id)
{
    struct record_key key = {SLUICE__KIND__KIND_USER, call->auth.org, ID_NONE, *id};
    Sluice__User *user;
    enum status status = record_get(call->txn, &key, call->arena, &user, NULL);
    if (status == ST_OK)
        jw_field_cstr(&call->json, "user", user->email);
    else if (status == ST_NOT_FOUND)
        jw_field_id(&call->json, "user", id);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static void write_amounts(struct json_writer *w, const struct ledger_row *row)
{
    const struct rollup_totals *totals = &row->totals;
    uint64_t tokens;
    if (__builtin_add_overflow(totals->input_tokens, totals->output_tokens, &tokens))
        tokens = UINT64_MAX;
    jw_field_u64(w, "requests", totals->requests);
    jw_key(w, "cost");
    jw_decimal(w, totals->cost_nanousd, ANALYTICS_CENTS);
    jw_field_u64(w, "avg_tokens", totals->requests == 0 ? 0 : tokens / totals->requests);
    jw_field_time(w, "last_seen", row->period_ms);
}

static enum status write_row(struct api_call *call, enum group_kind kind,
                             const struct ledger_row *row)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    if (kind == USERS || kind == AI_MODELS) {
        if (kind == USERS)
            TRY(write_user(call, &row->user));
        else
            jw_field_str(w, "ai_model", row->text);
        field_text_u64(w, "requests", row->totals.requests);
        field_text_cents(w, "cost", row->totals.cost_nanousd);
    } else if (kind == WORKSPACES) {
        TRY(write_workspace(call, &row->workspace));
        write_amounts(w, row);
    } else {
        jw_field_str(w, "metadata_value", row->text);
        write_amounts(w, row);
    }
    jw_field_cstr(w, "object", "analytics-group");
    jw_end(w);
    return ST_OK;
}

/* --- the call --- */

static enum status read_group(struct api_call *call, enum group_kind *kind, unsigned *group,
                              struct str *label)
{
    struct str path = api_path(call, "group"), metadata = STR("metadata/");
    *label = STR_NONE;
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        if (!str_eq(path, str_c(groups[i].path)))
            continue;
        *kind = groups[i].kind;
        *group = groups[i].group;
        return ST_OK;
    }
    *kind = METADATA;
    *group = LEDGER_BY_LABEL;
    *label = str_starts(path, metadata) ? str_from(path, metadata.n) : path;
    if (label->n == 0 || str_find_char(*label, '/') >= 0)
        return api_found(call, ST_NOT_FOUND, "Group");
    return ST_OK;
}

enum status api_analytics_group(struct api_call *call)
{
    enum group_kind kind;
    unsigned group;
    struct str label;
    struct analytics analytics;
    struct ledger_answer answer;
    struct list list;
    TRY(read_group(call, &kind, &group, &label));
    TRY(analytics_read(call, &analytics));
    bool seen = kind == METADATA || kind == WORKSPACES;
    TRY(analytics_ask(call, &analytics, group | (seen ? (unsigned)LEDGER_BY_PERIOD : 0u), label,
                      &answer));
    merge(&answer);
    list_begin(&list, call, PAGE_SIZE);
    for (size_t i = 0; i < answer.count; i++)
        if (list_wants(&list))
            TRY(write_row(call, kind, &answer.rows[i]));
    list_end(&list);
    return ST_OK;
}
