/* usage_pick.c: what an answer says about its own cost (usage_pick.h).
 *
 * The incremental scan knows just enough JSON to tell depth 1 from the rest: strings, escapes,
 * brackets. It never validates and never holds more than one small member, so a 100 MB embeddings
 * answer costs a byte loop and no memory. Captured members are read with the validating scanner
 * afterwards.
 */
#include "data-plane/usage_pick.h"

enum { WANT_NONE, WANT_USAGE, WANT_ID, WANT_OBJECT, WANT_FILES };

void usage_pick_init(struct usage_pick *pick, char member_room[USAGE_PICK_MEMBER_MAX])
{
    *pick = (struct usage_pick){.member = member_room};
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
    struct json_field fields[] = {{.name = "cached_tokens"},
                                  {.name = "audio_tokens"},
                                  {.name = "reasoning_tokens"},
                                  {.name = "cache_write_tokens"},
                                  {.name = "thinking_tokens"}};
    if (json_scan_object(raw, fields, COUNT_OF(fields), NULL) != ST_OK)
        return;
    if (input) {
        usage->cached_tokens = number_of(&fields[0]);
        usage->audio_input_tokens = number_of(&fields[1]);
        usage->cache_write_tokens = number_of(&fields[3]);
    } else {
        usage->audio_output_tokens = number_of(&fields[1]);
        usage->reasoning_tokens = number_of(&fields[fields[4].raw.p != NULL ? 4 : 2]);
    }
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
    return true;
}

static void copy_text(char *out, size_t room, struct str raw)
{
    if (raw.n >= 2 && raw.p[0] == '"' && raw.n - 2 < room && memchr(raw.p, '\\', raw.n) == NULL) {
        memcpy(out, raw.p + 1, raw.n - 2);
        out[raw.n - 2] = '\0';
    }
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
    pick->capturing = false;
    pick->want = WANT_NONE;
    pick->member_n = 0;
}

static void key_done(struct usage_pick *pick)
{
    struct str name = str_of(pick->name, pick->name_n);
    pick->want = str_eq(name, STR("usage"))    ? WANT_USAGE
                 : str_eq(name, STR("id"))     ? WANT_ID
                 : str_eq(name, STR("object")) ? WANT_OBJECT
                 : str_eq(name, STR("output_file_id")) || str_eq(name, STR("error_file_id")) ||
                         str_eq(name, STR("result_files"))
                     ? WANT_FILES
                     : WANT_NONE;
    pick->key_next = false;
}

static void scan_string_byte(struct usage_pick *pick, char c)
{
    bool key = pick->depth == 1 && pick->key_next;
    if (pick->escape) {
        pick->escape = false;
    } else if (c == '\\') {
        pick->escape = true;
    } else if (c == '"') {
        pick->in_string = false;
        if (key)
            key_done(pick);
        return;
    }
    if (key && pick->name_n < sizeof pick->name)
        pick->name[pick->name_n++] = c;
}

static void scan_plain_byte(struct usage_pick *pick, char c)
{
    switch (c) {
    case '"':
        pick->in_string = true;
        if (pick->depth == 1 && pick->key_next)
            pick->name_n = 0;
        break;
    case '{':
    case '[':
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
    if (!pick->in_string || pick->escape || pick->capturing || (pick->depth == 1 && pick->key_next))
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
        {.name = "choices"}, {.name = "usage"}, {.name = "response"}, {.name = "message"}};
    if (json_scan_object(data, fields, COUNT_OF(fields), NULL) != ST_OK)
        return false;
    struct str usage =
        fields[1].raw.p != NULL && fields[1].type == JSON_OBJECT ? fields[1].raw : STR_NONE;
    if (usage.p == NULL && fields[2].raw.p != NULL && fields[2].type == JSON_OBJECT)
        usage = find_path(fields[2].raw, STR("usage"));
    if (usage.p == NULL && usage_path.n > 0)
        usage = find_path(data, usage_path);
    if (usage.p == NULL && fields[3].raw.p != NULL && fields[3].type == JSON_OBJECT) {
        usage = find_path(fields[3].raw, STR("usage")); /* the first figures of a message: no output yet */
        if (usage.p != NULL && usage_pick_object(pick, usage))
            pick->found = false;
        return false;
    }
    if (usage.p == NULL || !usage_pick_object(pick, usage))
        return false;
    struct json_field *choices = &fields[0];
    size_t at = 0;
    struct str name, value;
    enum json_type type;
    *only_usage = choices->raw.p != NULL && choices->type == JSON_ARRAY &&
                  !json_scan_next(choices->raw, &at, &name, &value, &type);
    return true;
}

void usage_pick_response_id(struct usage_pick *pick, struct str data)
{
    struct json_field response = {.name = "response"}, id = {.name = "id"};
    if (json_scan_object(data, &response, 1, NULL) == ST_OK && response.raw.p != NULL &&
        response.type == JSON_OBJECT && json_scan_object(response.raw, &id, 1, NULL) == ST_OK &&
        id.raw.p != NULL && id.type == JSON_STRING)
        copy_text(pick->id, sizeof pick->id, id.raw);
}
