/* reply_list.c: see reply_list.h.
 *
 *   gather -> parse -> ask about each unknown entry, one after the other -> settle -> write the
 * owned ones
 *
 * first_id and last_id are made anew from what is shown, so that no other workspace's id leaves; a
 * page of which nothing is left says has_more false, since a client pages by the last entry it
 * sees.
 */
#include "data-plane/worker/reply_list.h"

#include <stdlib.h>

#include "common/json_tree.h"
#include "common/json_write.h"
#include "data-plane/worker/objects.h"
#include "data-plane/worker/refusal.h"

struct reply_list {
    struct buf text;
    const struct json *item; /* being asked about */
    struct json *root;
    struct object_wait wait;
    bool *owned;
    size_t at;
    bool partial;
};

bool reply_list_applies(const struct req *req)
{
    return req->surface == REQ_SURFACE_OP && req->attempt.http_status == 200 &&
           (req->op == OP_FILES_LIST || req->op == OP_BATCHES_LIST ||
            req->op == OP_FINE_TUNING_LIST);
}

bool reply_list_feed(struct req *req, const char *p, size_t n)
{
    if (req->list == NULL) {
        req->list = arena_calloc(&req->arena, 1, sizeof *req->list);
        if (req->list == NULL)
            return false;
        buf_init(&req->list->text, REPLY_LIST_BYTES_MAX);
    }
    buf_add(&req->list->text, p, n);
    return buf_status(&req->list->text) == ST_OK;
}

void reply_list_cancel(struct req *req)
{
    if (req->list == NULL)
        return;
    mailbox_object_cancel(&req->list->wait);
    buf_free(&req->list->text);
}

static void write_data(struct json_writer *w, const struct reply_list *list,
                       const struct json *data)
{
    size_t i = 0;
    jw_array(w);
    for (const struct json *item = data->first; item != NULL; item = item->next, i++)
        if (list->owned[i])
            jw_raw(w, item->raw);
    jw_end(w);
}

/* What the owned batches and jobs made is the owner's: as many as the attempt's event takes, the
 * others when they are next shown. */
static void pick_files(struct req *req, const struct reply_list *list, const struct json *data)
{
    static const char *const names[] = {"output_file_id", "error_file_id", "result_files"};
    size_t i = 0;
    for (const struct json *item = data->first; item != NULL; item = item->next, i++) {
        for (size_t k = 0; list->owned[i] && k < COUNT_OF(names); k++) {
            const struct json *member = json_get(item, names[k]);
            struct str id;
            if (json_text(member, &req->arena, &id) == ST_OK &&
                objects_known(&req->auth.workspace, &req->attempt.provider, id))
                continue;
            if (member != NULL)
                usage_pick_files(req->usage.files, member->raw);
        }
    }
}

/* The first or last owned entry's id, raw; null when none is left. */
static struct str edge_id(const struct reply_list *list, const struct json *data, bool last)
{
    struct str id = STR("null");
    size_t i = 0;
    for (const struct json *item = data->first; item != NULL; item = item->next, i++) {
        const struct json *name = json_get(item, "id");
        if (!list->owned[i] || name == NULL)
            continue;
        id = name->raw;
        if (!last)
            break;
    }
    return id;
}

static void answer(struct req *req)
{
    struct reply_list *list = req->list;
    const struct json *data = json_get(list->root, "data");
    struct buf out;
    struct json_writer w;
    bool any = !str_eq(edge_id(list, data, false), STR("null"));
    pick_files(req, list, data);
    req_settle(req, SLOT_OUTCOME_OK);
    buf_init(&out, REPLY_LIST_BYTES_MAX + 1024);
    jw_init(&w, &out);
    jw_object(&w);
    for (const struct json *member = list->root->first; member != NULL; member = member->next) {
        jw_key_str(&w, member->key);
        if (member == data)
            write_data(&w, list, data);
        else if (str_eq(member->key, STR("first_id")) || str_eq(member->key, STR("last_id")))
            jw_raw(&w, edge_id(list, data, str_eq(member->key, STR("last_id"))));
        else if (str_eq(member->key, STR("has_more")))
            jw_bool(&w, any && member->type == JSON_TRUE);
        else
            jw_raw(&w, member->raw);
    }
    jw_end(&w);
    if (buf_status(&out) == ST_OK) {
        req->list_partial = list->partial;
        req_answer_json(req, 200, buf_str(&out));
    } else {
        req_refuse(req, ST_OVERLOADED, "The provider's list is too long.");
        req_answer_refusal(req);
    }
    buf_free(&out);
}

static void next_item(struct req *req);

static void answered(struct object_wait *wait)
{
    struct req *req = wait->owner;
    struct reply_list *list = req->list;
    list->owned[list->at] = wait->status == ST_OK;
    list->partial = list->partial || wait->status == ST_CONTROL_AWAY;
    list->item = list->item->next;
    list->at++;
    next_item(req);
}

static void next_item(struct req *req)
{
    struct reply_list *list = req->list;
    for (; list->item != NULL; list->item = list->item->next, list->at++) {
        struct str id;
        if (json_text(json_get(list->item, "id"), &req->arena, &id) != ST_OK)
            continue;
        list->owned[list->at] = objects_known(&req->auth.workspace, &req->attempt.provider, id);
        if (list->owned[list->at])
            continue;
        list->wait = (struct object_wait){.done = answered, .owner = req};
        if (mailbox_ask_object(req->worker, &req->auth.org, &req->auth.workspace,
                               &req->attempt.provider, id, &list->wait) == ST_OK)
            return;
        list->partial = true;
    }
    answer(req);
}

void reply_list_done(struct req *req)
{
    struct reply_list *list = req->list;
    const struct json *data = NULL;
    if (list != NULL &&
        json_parse(&req->arena, buf_str(&list->text), NULL, &list->root, NULL) == ST_OK)
        data = json_get(list->root, "data");
    if (!json_is(data, JSON_ARRAY) || data->count > REPLY_LIST_ITEMS_MAX) {
        req_settle(req, SLOT_OUTCOME_BROKEN);
        req_refuse(req, ST_UPSTREAM_BROKEN, "The provider's list could not be read.");
        req_answer_refusal(req);
        return;
    }
    list->owned = arena_calloc(&req->arena, data->count + 1, sizeof *list->owned);
    if (list->owned == NULL) {
        req_settle(req, SLOT_OUTCOME_OK);
        req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
        req_answer_refusal(req);
        return;
    }
    list->item = data->first;
    next_item(req);
}
