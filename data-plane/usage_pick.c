/* usage_pick.c: what an answer says about its own cost (usage_pick.h).
 *
 * The incremental scan knows just enough JSON to tell depth 1 from the rest: strings, escapes,
 * brackets. It never validates and never holds more than one small member, so a 100 MB embeddings
 * answer costs a byte loop and no memory. Captured members are read with the validating scanner
 * afterwards.
 */
#include "data-plane/usage_pick.h"

enum { WANT_NONE, WANT_USAGE, WANT_ID, WANT_OBJECT, WANT_FILES, WANT_TIER, WANT_META };

void usage_pick_init(struct usage_pick *pick, char member_room[USAGE_PICK_MEMBER_MAX])
{
    *pick = (struct usage_pick){.member = member_room};
}

static void copy_text(char *out, size_t room, struct str raw)
{
    if (raw.n >= 2 && raw.p[0] == '"' && raw.n - 2 < room && memchr(raw.p, '\\', raw.n) == NULL) {
        memcpy(out, raw.p + 1, raw.n - 2);
        out[raw.n - 2] = '\0';
    }
}

static uint64_t number_of(const struct json_field *field)
{
    uint64_t value = 0;
    if (field->raw.p != NULL && field->type == JSON_NUMBER &&
        str_to_u64(field->raw, &value) != ST_OK)
        value = 0;
    return value;
}

/* prompt_tokens_details / input_tokens_details and their output twins. */
static void pick_details(struct slot_usage *usage, struct str raw, bool input)
{
    struct json_field fields[] = {{.name = "cached_tokens"},    {.name = "audio_tokens"},
                                  {.name = "reasoning_tokens"}, {.name = "cache_write_tokens"},
                                  {.name = "image_tokens"},     {.name = "cached_tokens_details"},
                                  {.name = "thinking_tokens"}};
    struct json_field cached[] = {{.name = "audio_tokens"}, {.name = "image_tokens"}};
    if (json_scan_object(raw, fields, COUNT_OF(fields), NULL) != ST_OK)
        return;
    if (!input) {
        usage->audio_output_tokens = number_of(&fields[1]);
        usage->reasoning_tokens = number_of(&fields[fields[6].raw.p != NULL ? 6 : 2]);
        usage->image_output_tokens = number_of(&fields[4]);
        return;
    }
    usage->cached_tokens = number_of(&fields[0]);
    usage->audio_input_tokens = number_of(&fields[1]);
    usage->cache_write_tokens = number_of(&fields[3]);
    usage->image_input_tokens = number_of(&fields[4]);
    if (fields[5].raw.p != NULL && fields[5].type == JSON_OBJECT &&
        json_scan_object(fields[5].raw, cached, COUNT_OF(cached), NULL) == ST_OK) {
        usage->audio_cached_tokens = number_of(&cached[0]);
        usage->image_cached_tokens = number_of(&cached[1]);
    }
}

/* What Anthropic's usage says beside tokens (API reference, "Usage"). */
static void pick_anthropic(struct usage_pick *pick, struct str raw)
{
    struct json_field fields[] = {
        {.name = "cache_creation"}, {.name = "server_tool_use"}, {.name = "service_tier"}};
    struct json_field hour = {.name = "ephemeral_1h_input_tokens"};
    struct json_field searches = {.name = "web_search_requests"};
    struct slot_usage *usage = &pick->usage;
    if (json_scan_object(raw, fields, COUNT_OF(fields), NULL) != ST_OK)
        return;
    if (fields[0].raw.p != NULL && fields[0].type == JSON_OBJECT &&
        json_scan_object(fields[0].raw, &hour, 1, NULL) == ST_OK)
        usage->cache_write_1h_tokens = number_of(&hour);
    if (fields[1].raw.p != NULL && fields[1].type == JSON_OBJECT &&
        json_scan_object(fields[1].raw, &searches, 1, NULL) == ST_OK)
        usage->searches = number_of(&searches);
    if (fields[2].raw.p != NULL)
        copy_text(pick->tier, sizeof pick->tier, fields[2].raw);
}

/* The kind of an output item of the Responses API. */
static void note_call(struct slot_usage *calls, struct str type)
{
    calls->searches += str_eq(type, STR("web_search_call"));
    calls->file_searches += str_eq(type, STR("file_search_call"));
    calls->code_executions += str_eq(type, STR("code_interpreter_call"));
}

/* The same of a whole output array. */
static void note_calls(struct usage_pick *pick, struct str output)
{
    struct str name, item;
    enum json_type type;
    size_t at = 0;
    pick->calls = (struct slot_usage){0};
    while (json_scan_next(output, &at, &name, &item, &type)) {
        struct json_field kind = {.name = "type"};
        if (type == JSON_OBJECT && json_scan_object(item, &kind, 1, NULL) == ST_OK &&
            kind.raw.p != NULL && kind.type == JSON_STRING && kind.raw.n > 2)
            note_call(&pick->calls, str_of(kind.raw.p + 1, kind.raw.n - 2));
    }
}

/* "meta": {"billed_units": {"search_units": 1, "input_tokens": 9}} (Cohere API reference). */
static void pick_billed_units(struct usage_pick *pick, struct str meta)
{
    struct json_field units = {.name = "billed_units"};
    struct json_field fields[] = {
        {.name = "search_units"}, {.name = "input_tokens"}, {.name = "output_tokens"}};
    if (json_scan_object(meta, &units, 1, NULL) != ST_OK || units.raw.p == NULL ||
        units.type != JSON_OBJECT ||
        json_scan_object(units.raw, fields, COUNT_OF(fields), NULL) != ST_OK)
        return;
    pick->usage.rerank_searches = number_of(&fields[0]);
    pick->usage.input_tokens = number_of(&fields[1]);
    pick->usage.output_tokens = number_of(&fields[2]);
    pick->found = true;
}

/* Anthropic counts what it read from and wrote to a cache beside the input; a total holds it. */
static void add_beside(struct slot_usage *usage, const struct json_field *read,
                       const struct json_field *wrote)
{
    if (read->raw.p == NULL && wrote->raw.p == NULL)
        return;
    usage->cached_tokens = number_of(read);
    usage->cache_write_tokens = number_of(wrote);
    usage->input_tokens += usage->cached_tokens + usage->cache_write_tokens;
}

/* Figures that name no input (the last ones of an older Anthropic stream) leave what was known of it. */
static void keep_input(struct slot_usage *usage, const struct slot_usage *known)
{
    usage->input_tokens = known->input_tokens;
    usage->cached_tokens = known->cached_tokens;
    usage->cache_write_tokens = known->cache_write_tokens;
    usage->cache_write_1h_tokens = known->cache_write_1h_tokens;
    usage->searches = known->searches;
}

bool usage_pick_object(struct usage_pick *pick, struct str raw)
{
    struct json_field fields[] = {
        {.name = "prompt_tokens"},
        {.name = "input_tokens"},
        {.name = "completion_tokens"},
        {.name = "output_tokens"},
        {.name = "prompt_tokens_details"},
        {.name = "input_tokens_details"},
        {.name = "completion_tokens_details"},
        {.name = "output_tokens_details"},
        {.name = "seconds"},
        {.name = "total_tokens"},
        {.name = "cache_read_input_tokens"},
        {.name = "cache_creation_input_tokens"},
    };
    if (json_scan_object(raw, fields, COUNT_OF(fields), NULL) != ST_OK)
        return false;
    bool any = false;
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        any = any || (fields[i].raw.p != NULL && fields[i].type == JSON_NUMBER);
    if (!any)
        return false;
    struct slot_usage usage = {0};
    usage.input_tokens = number_of(&fields[fields[0].raw.p != NULL ? 0 : 1]);
    usage.output_tokens = number_of(&fields[fields[2].raw.p != NULL ? 2 : 3]);
    for (size_t i = 4; i < 8; i++)
        if (fields[i].raw.p != NULL && fields[i].type == JSON_OBJECT)
            pick_details(&usage, fields[i].raw, i < 6);
    add_beside(&usage, &fields[10], &fields[11]);
    if (fields[0].raw.p == NULL && fields[1].raw.p == NULL)
        keep_input(&usage, &pick->usage);
    usage.audio_ms = number_of(&fields[8]) * 1000;
    pick->usage = usage;
    pick->found = true;
    pick_anthropic(pick, raw);
    return true;
}

void usage_pick_files(char files[120], struct str raw)
{
    static const char safe[] = "-_.:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    ptrdiff_t quote;
    while ((quote = str_find_char(raw, '"')) >= 0) {
        raw = str_from(raw, (size_t)quote + 1);
        ptrdiff_t end = str_find_char(raw, '"');
        if (end < 0)
            return;
        struct str id = str_head(raw, (size_t)end);
        raw = str_from(raw, (size_t)end + 1);
        size_t used = strlen(files), fine = 0;
        while (fine < id.n && id.p[fine] != '\0' && strchr(safe, id.p[fine]) != NULL)
            fine++;
        if (id.n == 0 || fine < id.n || used + 1 + id.n >= 120 || str_find(str_c(files), id) >= 0)
            continue;
        if (used > 0)
            files[used++] = ' ';
        memcpy(files + used, id.p, id.n);
        files[used + id.n] = '\0';
    }
}

/* --- the incremental scan
 * -------------------------------------------------------------------------------------------------
 */

static void member_done(struct usage_pick *pick)
{
    struct str raw = str_trim(str_of(pick->member, pick->member_n));
    if (pick->want == WANT_USAGE)
        usage_pick_object(pick, raw);
    else if (pick->want == WANT_ID)
        copy_text(pick->id, sizeof pick->id, raw);
    else if (pick->want == WANT_OBJECT)
        copy_text(pick->object, sizeof pick->object, raw);
    else if (pick->want == WANT_FILES)
        usage_pick_files(pick->files, raw);
    else if (pick->want == WANT_TIER)
        copy_text(pick->tier, sizeof pick->tier, raw);
    else if (pick->want == WANT_META)
        pick_billed_units(pick, raw);
    pick->capturing = false;
    pick->want = WANT_NONE;
    pick->member_n = 0;
}

static void key_done(struct usage_pick *pick)
{
    struct str name = str_of(pick->name, pick->name_n);
    pick->in_data = str_eq(name, STR("data"));
    pick->in_output = str_eq(name, STR("output"));
    pick->want = str_eq(name, STR("usage"))          ? WANT_USAGE
                 : str_eq(name, STR("id"))           ? WANT_ID
                 : str_eq(name, STR("object"))       ? WANT_OBJECT
                 : str_eq(name, STR("service_tier")) ? WANT_TIER
                 : str_eq(name, STR("meta"))         ? WANT_META
                 : str_eq(name, STR("output_file_id")) || str_eq(name, STR("error_file_id")) ||
                         str_eq(name, STR("result_files"))
                     ? WANT_FILES
                     : WANT_NONE;
    pick->key_next = false;
}

static void scan_string_byte(struct usage_pick *pick, char c)
{
    bool key = pick->depth == 1 && pick->key_next;
    bool kind = pick->depth == 3 && pick->in_output;
    if (pick->escape) {
        pick->escape = false;
    } else if (c == '\\') {
        pick->escape = true;
    } else if (c == '"') {
        pick->in_string = false;
        if (key)
            key_done(pick);
        else if (kind)
            note_call(&pick->calls, str_of(pick->name, pick->name_n));
        return;
    }
    if ((key || kind) && pick->name_n < sizeof pick->name)
        pick->name[pick->name_n++] = c;
}

static void scan_plain_byte(struct usage_pick *pick, char c)
{
    switch (c) {
    case '"':
        pick->in_string = true;
        if ((pick->depth == 1 && pick->key_next) || (pick->depth == 3 && pick->in_output))
            pick->name_n = 0;
        break;
    case '{':
    case '[':
        pick->items += c == '{' && pick->depth == 2 && pick->in_data;
        if (pick->depth++ == 0) {
            pick->key_next = c == '{';
            pick->broken = c != '{';
        }
        break;
    case '}':
    case ']':
        if (pick->depth > 0 && --pick->depth == 0 && pick->capturing)
            member_done(pick);
        break;
    case ',':
        if (pick->depth == 1) {
            if (pick->capturing)
                member_done(pick);
            pick->key_next = true;
        }
        break;
    default:
        break;
    }
}

/* Runs over string contents that nobody wants, the bulk of most answers. */
static size_t skip_string(const struct usage_pick *pick, const char *p, size_t n)
{
    if (!pick->in_string || pick->escape || pick->capturing ||
        (pick->depth == 1 && pick->key_next) || (pick->depth == 3 && pick->in_output))
        return 0;
    const char *quote = memchr(p, '"', n);
    size_t span = quote == NULL ? n : (size_t)(quote - p);
    const char *escape = memchr(p, '\\', span);
    return escape == NULL ? span : (size_t)(escape - p);
}

/* Runs over numbers, blanks and separators inside nested values, where only quotes and brackets
 * mean anything. */
static size_t skip_nested(const struct usage_pick *pick, const char *p, size_t n)
{
    static const bool stops[256] = {
        ['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true};
    if (pick->in_string || pick->capturing || pick->depth < 2)
        return 0;
    size_t i = 0;
    while (i < n && !stops[(uint8_t)p[i]])
        i++;
    return i;
}

void usage_pick_feed(struct usage_pick *pick, const char *p, size_t n)
{
    for (size_t i = 0; i < n && !pick->broken; i++) {
        i += pick->in_string ? skip_string(pick, p + i, n - i) : skip_nested(pick, p + i, n - i);
        if (i == n)
            break;
        bool was_capturing = pick->capturing;
        if (pick->in_string) {
            scan_string_byte(pick, p[i]);
        } else {
            if (p[i] == ':' && pick->depth == 1 && pick->want != WANT_NONE && !pick->capturing) {
                pick->capturing = true;
                pick->member_n = 0;
                continue;
            }
            scan_plain_byte(pick, p[i]);
        }
        if (was_capturing && pick->capturing) {
            if (pick->member_n < USAGE_PICK_MEMBER_MAX) {
                pick->member[pick->member_n++] = p[i];
            } else {
                pick->capturing = false;
                pick->want = WANT_NONE;
            }
        }
    }
}

/* --- stream events
 * ----------------------------------------------------------------------------------------------------------
 */

/* "usage" or "x_groq.usage": the raw object at that path, or none. */
static struct str find_path(struct str object, struct str path)
{
    struct str piece;
    while (str_split(&path, '.', &piece)) {
        char name[32];
        if (piece.n >= sizeof name)
            return STR_NONE;
        memcpy(name, piece.p, piece.n);
        name[piece.n] = '\0';
        struct json_field field = {.name = name};
        if (json_scan_object(object, &field, 1, NULL) != ST_OK || field.raw.p == NULL ||
            field.type != JSON_OBJECT)
            return STR_NONE;
        object = field.raw;
    }
    return object;
}

bool usage_pick_event(struct usage_pick *pick, struct str data, struct str usage_path,
                      bool *only_usage)
{
    *only_usage = false;
    if (str_find(data, STR("\"usage\"")) < 0)
        return false;
    struct json_field fields[] = {
        {.name = "choices"},      {.name = "usage"},  {.name = "response"},
        {.name = "service_tier"}, {.name = "message"}};
    if (json_scan_object(data, fields, COUNT_OF(fields), NULL) != ST_OK)
        return false;
    struct str usage =
        fields[1].raw.p != NULL && fields[1].type == JSON_OBJECT ? fields[1].raw : STR_NONE;
    if (usage.p == NULL && fields[2].raw.p != NULL && fields[2].type == JSON_OBJECT) {
        struct json_field output = {.name = "output"};
        usage = find_path(fields[2].raw, STR("usage"));
        if (json_scan_object(fields[2].raw, &output, 1, NULL) == ST_OK && output.raw.p != NULL &&
            output.type == JSON_ARRAY)
            note_calls(pick, output.raw);
    }
    if (usage.p == NULL && usage_path.n > 0)
        usage = find_path(data, usage_path);
    if (usage.p == NULL && fields[4].raw.p != NULL && fields[4].type == JSON_OBJECT) {
        /* the first figures of a message: no output yet */
        usage = find_path(fields[4].raw, STR("usage"));
        if (usage.p != NULL && usage_pick_object(pick, usage))
            pick->found = false;
        return false;
    }
    if (usage.p == NULL || !usage_pick_object(pick, usage))
        return false;
    if (fields[3].raw.p != NULL)
        copy_text(pick->tier, sizeof pick->tier, fields[3].raw);
    struct json_field *choices = &fields[0];
    size_t at = 0;
    struct str name, value;
    enum json_type type;
    *only_usage = choices->raw.p != NULL && choices->type == JSON_ARRAY &&
                  !json_scan_next(choices->raw, &at, &name, &value, &type);
    return true;
}

struct slot_usage usage_pick_total(const struct usage_pick *pick)
{
    struct slot_usage total = pick->usage;
    total.searches += pick->calls.searches;
    total.file_searches += pick->calls.file_searches;
    total.code_executions += pick->calls.code_executions;
    return total;
}

void usage_pick_response_id(struct usage_pick *pick, struct str data)
{
    struct json_field response = {.name = "response"}, id = {.name = "id"};
    if (json_scan_object(data, &response, 1, NULL) == ST_OK && response.raw.p != NULL &&
        response.type == JSON_OBJECT && json_scan_object(response.raw, &id, 1, NULL) == ST_OK &&
        id.raw.p != NULL && id.type == JSON_STRING)
        copy_text(pick->id, sizeof pick->id, id.raw);
}
