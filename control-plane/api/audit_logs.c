/* audit_logs.c: GET /v1/audit-logs: who changed what, or was refused to, newest first.
 *
 * The store's list goes on from a place, the wire's by page number: all that fits the filters is
 * walked over, in steps of AUDIT_STEP, at most AUDIT_WALK_MAX records, which is also the most that
 * `total` says. No country is known of an address, so a filter by country finds nothing.
 */
#include "common/clock.h"
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/audit/audit.h"

#define AUDIT_PAGE_MAX 100
#define AUDIT_STEP     500
#define AUDIT_WALK_MAX 20000

/* A text, as clients want it, that holds an object of those headers that say something. */
static void write_headers(struct json_writer *w, struct arena *arena,
                          const Sluice__AuditRecord *record)
{
    struct buf out;
    struct json_writer inner;
    buf_init(&out, 4096);
    jw_init(&inner, &out);
    jw_object(&inner);
    if (record->user_agent[0] != '\0')
        jw_field_cstr(&inner, "user-agent", record->user_agent);
    jw_end(&inner);
    jw_field_str(w, "request_headers", arena_str(arena, buf_str(&out)));
    buf_free(&out);
}

static void write_state(struct json_writer *w, const char *name, const char *json)
{
    jw_field_raw(w, name, json[0] == '\0' ? STR("null") : str_c(json));
}

static void write_record(struct json_writer *w, struct arena *arena, const struct id *org,
                         const Sluice__AuditRecord *record)
{
    jw_object(w);
    wire_field_id(w, "id", &record->id);
    jw_field_time(w, "timestamp", record->at_ms);
    jw_field_u64(w, "revision", record->revision);
    jw_field_cstr(w, "method", record->method);
    jw_field_cstr(w, "uri", record->uri);
    jw_field_cstr(w, "request_id", record->request_id);
    jw_field_cstr(w, "request_body", record->request_body);
    jw_field_cstr(w, "query_params", record->query);
    write_headers(w, arena, record);
    wire_field_id(w, "user_id", &record->actor);
    jw_field_cstr(w, "user_type", record->actor_type);
    jw_field_id(w, "organisation_id", org);
    wire_field_id(w, "workspace_id", &record->workspace);
    jw_field_u64(w, "response_status_code",
                 record->response_status == 0 ? 200 : record->response_status);
    jw_field_cstr(w, "resource_type", record->resource_type);
    wire_field_id(w, "resource_id", &record->resource);
    jw_field_cstr(w, "resource_slug", record->resource_slug);
    jw_field_cstr(w, "action", record->action);
    jw_field_cstr(w, "client_ip", record->client_ip);
    jw_field_cstr(w, "country", "");
    jw_field_cstr(w, "message", record->message);
    write_state(w, "before", record->before_json);
    write_state(w, "after", record->after_json);
    jw_end(w);
}

static enum status read_time(struct api_call *call, const char *name, int64_t *ms)
{
    struct str text = api_query(call, name);
    if (text.n > 0 && clock_from_text(text, ms) != ST_OK)
        return api_invalid(call, name, "must be a time (RFC 3339)");
    return ST_OK;
}

static enum status read_id(struct api_call *call, const char *name, struct id *id)
{
    struct str text = api_query(call, name);
    if (text.n > 0 && id_from_text(text, id) != ST_OK)
        return api_invalid(call, name, "must be an id");
    return ST_OK;
}

/* Filters that the store does not know. */
static bool fits(const struct api_call *call, const Sluice__AuditRecord *record)
{
    struct str method = api_query(call, "method"), uri = api_query(call, "uri"),
               request = api_query(call, "request_id");
    struct str type = api_query(call, "user_type"), ip = api_query(call, "client_ip"),
               country = api_query(call, "country"), code = api_query(call, "response_status_code");
    uint64_t status = record->response_status == 0 ? 200 : record->response_status, wanted;
    return country.n == 0 &&
           (code.n == 0 || (str_to_u64(code, &wanted) == ST_OK && wanted == status)) &&
           (method.n == 0 || str_eq_nocase(method, str_c(record->method))) &&
           (uri.n == 0 || str_find(str_c(record->uri), uri) >= 0) &&
           (request.n == 0 || str_eq(request, str_c(record->request_id))) &&
           (type.n == 0 || str_eq(type, str_c(record->actor_type))) &&
           (ip.n == 0 || str_eq(ip, str_c(record->client_ip)));
}

static uint64_t number(const struct api_call *call, const char *name, uint64_t otherwise)
{
    uint64_t value;
    return str_to_u64(api_query(call, name), &value) == ST_OK ? value : otherwise;
}

enum status api_audit_list(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct audit_filter filter = {.org = call->auth.org,
                                  .resource_type = api_query(call, "resource_type"),
                                  .action = api_query(call, "action")};
    struct audit_place place = {0, 0};
    struct audit_page page = {.more = true};
    struct id org = ID_NONE;
    uint64_t size = number(call, "page_size", AUDIT_PAGE_MAX), first, seen = 0;
    size = size == 0 || size > AUDIT_PAGE_MAX ? AUDIT_PAGE_MAX : size;
    TRY(read_time(call, "start_time", &filter.start_ms));
    TRY(read_time(call, "end_time", &filter.end_ms));
    TRY(read_id(call, "organisation_id", &org));
    if (!id_is_none(&org) && !id_eq(&org, &call->auth.org))
        return api_fail(call, ST_FORBIDDEN, "organisation_id: is not yours");
    TRY(read_id(call, "workspace_id", &filter.workspace));
    TRY(read_id(call, "resource_id", &filter.resource));
    TRY(read_id(call, "user_id", &filter.actor));
    if (__builtin_mul_overflow(number(call, "current_page", 0), size, &first) ||
        first > AUDIT_WALK_MAX)
        first = AUDIT_WALK_MAX;
    jw_object(w);
    jw_key(w, "records");
    jw_array(w);
    while (page.more && seen < AUDIT_WALK_MAX) {
        struct arena scratch;
        arena_init(&scratch, 64u << 20);
        enum status status = audit_list(call->txn, &filter, &place, AUDIT_STEP, &scratch, &page);
        for (size_t i = 0; status == ST_OK && i < page.count; i++) {
            if (!fits(call, page.records[i]))
                continue;
            if (seen >= first && seen < first + size)
                write_record(w, &scratch, &call->auth.org, page.records[i]);
            seen++;
        }
        place = page.place;
        arena_free(&scratch);
        TRY(status);
    }
    jw_end(w);
    jw_field_u64(w, "total", seen);
    jw_field_cstr(w, "object", "list");
    jw_end(w);
    return ST_OK;
}
