/* organisation.c: /v1/admin/organisation: settings of the caller's own organisation.
 *
 * There is no list and no create here: the organisation follows from the key, and is made by
 * sluicectl. `settings` is an object that the console keeps for itself; the members beside it
 * decide things.
 */
#include "control-plane/api/fields.h"
#include "control-plane/ledger/zone.h"

#define AT(member) FIELD_AT(Sluice__Organisation, member)

static const struct field rows[] = {
    {"name", FIELD_TEXT, FIELD_REQUIRED | FIELD_OUT, AT(name), 1, 255},
    {"time_zone", FIELD_TEXT, FIELD_OUT, AT(time_zone), 0, 64},
    {"settings", FIELD_OBJECT, FIELD_OUT, AT(settings_json), 0, 0},
    {"workspace_integrations", FIELD_OTHER, 0, 0, 0, 0},
    {"default_limit_mode", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_organisation = {"organisation", rows, COUNT_OF(rows)};

static const char *const integration_settings[] = {"off", "admins", "admins_and_managers"};
static const char *const limit_modes[] = {"standard", "strict"};

static enum status find(struct api_call *call, struct record_key *key,
                        Sluice__Organisation **organisation)
{
    *key = (struct record_key){SLUICE__KIND__KIND_ORGANISATION, call->auth.org, ID_NONE,
                               call->auth.org};
    return api_found(call, record_get(call->txn, key, call->arena, organisation, NULL),
                     "Organisation");
}

static void write_word(struct json_writer *w, const char *name, const char *const *words,
                       size_t count, uint32_t value)
{
    jw_field_cstr(w, name, words[value < count ? value : 0]);
}

static void write_organisation(struct json_writer *w, const struct record_key *key,
                               const Sluice__Organisation *record)
{
    jw_object(w);
    jw_field_cstr(w, "object", "organisation");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "slug", record->slug);
    fields_write(w, &api_fields_organisation, record);
    write_word(w, "workspace_integrations", integration_settings, COUNT_OF(integration_settings),
               record->workspace_integrations);
    write_word(w, "default_limit_mode", limit_modes, COUNT_OF(limit_modes),
               record->default_limit_mode);
    jw_field_time(w, "created_at", record->created_at_ms);
    jw_field_time(w, "last_updated_at", record->updated_at_ms);
    jw_end(w);
}

static enum status read_word(struct api_call *call, const char *name, const char *const *words,
                             size_t count, uint32_t *value)
{
    struct str text;
    TRY(api_body_text(call, name, &text));
    if (text.p == NULL)
        return ST_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (str_eq(text, str_c(words[i]))) {
            *value = i;
            return ST_OK;
        }
    }
    return api_invalid(call, name,
                       count == 2 ? "must be standard or strict"
                                  : "must be off, admins or admins_and_managers");
}

/* Periods of budgets begin at its midnights, so it must be one that can be computed with. */
static enum status check_zone(struct api_call *call, const Sluice__Organisation *record)
{
    const struct zone *zone;
    if (api_body(call, "time_zone") == NULL)
        return ST_OK;
    enum status status = zone_open(str_c(record->time_zone), &zone);
    if (status == ST_NO_MEMORY || status == ST_TOO_LARGE)
        return status;
    return status == ST_OK
               ? ST_OK
               : api_invalid(call, "time_zone", "must be an IANA time zone (\"Europe/Berlin\")");
}

enum status api_organisation_get(struct api_call *call)
{
    struct record_key key;
    Sluice__Organisation *record;
    TRY(find(call, &key, &record));
    write_organisation(&call->json, &key, record);
    return ST_OK;
}

enum status api_organisation_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Organisation *record;
    TRY(find(call, &key, &record));
    TRY(fields_read(call, &api_fields_organisation, record, false));
    TRY(check_zone(call, record));
    TRY(read_word(call, "workspace_integrations", integration_settings,
                  COUNT_OF(integration_settings), &record->workspace_integrations));
    TRY(read_word(call, "default_limit_mode", limit_modes, COUNT_OF(limit_modes),
                  &record->default_limit_mode));
    record->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, record, str_c(record->slug)));
    api_audit(call, "update", "organisation", NULL, &key.id, record->slug);
    write_organisation(&call->json, &key, record);
    return ST_OK;
}
