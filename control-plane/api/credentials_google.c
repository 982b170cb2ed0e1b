/* credentials_google.c: the project of a Google service account (credentials.h).
 *
 * The account's JSON is secret as a whole and sealed, but the project stands in every address of
 * Vertex AI, which is made before the secret is opened. Where the configuration names no project,
 * the account's own becomes part of it; a later account brings its own again, because a
 * configuration is always written whole. Must never take anything but project_id out of the
 * account.
 */
#include "common/json_write.h"
#include "control-plane/api/credentials.h"

#define ACCOUNT           "configurations.vertex_service_account_json"
#define CONFIGURATION_MAX (512u << 10)

/* The account's JSON, given as an object or as a string that holds one. */
static enum status account_of(struct api_call *call, const struct credentials *c,
                              struct str *account)
{
    struct json_field field = {.name = ACCOUNT};
    *account = STR_NONE;
    if (c->plain.n == 0 || json_scan_object(c->plain, &field, 1, NULL) != ST_OK ||
        field.raw.p == NULL)
        return ST_OK;
    *account = field.raw;
    if (field.type != JSON_STRING)
        return ST_OK;
    char *room = arena_alloc(call->arena, field.raw.n);
    return room == NULL ? ST_NO_MEMORY : json_unescape(field.raw, room, account);
}

enum status credentials_derive_project(struct api_call *call, struct credentials *c)
{
    struct json_field project = {.name = "project_id"};
    struct str account;
    struct buf out;
    struct json_writer w;
    char *text;
    if (json_get(c->configuration_tree, "vertex_project_id") != NULL)
        return ST_OK;
    TRY(account_of(call, c, &account));
    if (account.n == 0 || json_scan_object(account, &project, 1, NULL) != ST_OK ||
        project.raw.p == NULL || project.type != JSON_STRING)
        return ST_OK;
    buf_init(&out, CONFIGURATION_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    for (const struct json *item = c->configuration_tree->first; item != NULL; item = item->next) {
        jw_key_str(&w, item->key);
        jw_raw(&w, item->raw);
    }
    jw_field_raw(&w, "vertex_project_id", project.raw);
    jw_end(&w);
    TRY(fields_take(call->arena, &out, &text));
    c->configurations_json = text;
    return json_parse(call->arena, str_c(text), NULL, &c->configuration_tree, NULL);
}
