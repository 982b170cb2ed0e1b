/* model_card.c: see model_card.h.
 *
 * OpenAI's clients read id, object, created and owned_by; Portkey's slug and canonical_slug; the
 * rest is for people who choose a model. Prices are USD per unit as exact decimals. `created` is
 * the day the model came out, or for an integration's own row the day it was made.
 */
#include "common/model_card.h"

#include "common/clock.h"

#define PICOUSD_DIGITS 12
#define SEARCH_MAX     200

/* --- asking */

void model_card_ask(struct model_card_query *query, struct str name, struct str value)
{
    const struct {
        struct str name;
        struct str *to;
    } texts[] = {
        {STR("provider"), &query->provider},      {STR("ai_service"), &query->service},
        {STR("search"), &query->search},          {STR("type"), &query->type},
        {STR("status"), &query->status},          {STR("input_modality"), &query->input},
        {STR("output_modality"), &query->output}, {STR("capability"), &query->capability},
        {STR("is_custom"), &query->custom},       {STR("sort"), &query->sort},
    };
    uint64_t number;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (str_eq(name, texts[i].name))
            *texts[i].to = value;
    if (str_eq(name, STR("order")))
        query->descending = str_eq(value, STR("desc"));
    if (str_eq(name, STR("offset")) && str_to_u64(value, &number) == ST_OK)
        query->offset = number;
    if (str_eq(name, STR("limit")) && str_to_u64(value, &number) == ST_OK && number > 0)
        query->limit = number;
}

static bool has_line(struct str lines, struct str wanted)
{
    struct str line;
    while (lines.n > 0 && str_split(&lines, '\n', &line))
        if (str_eq(line, wanted))
            return true;
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Any case of ASCII. */
static bool contains(struct str text, struct str wanted)
{
    for (size_t i = 0; i + wanted.n <= text.n; i++) {
        size_t k = 0;
        while (k < wanted.n && lower(text.p[i + k]) == lower(wanted.p[k]))
            k++;
        if (k == wanted.n)
            return true;
    }
    return false;
}

/* "@provider/model" is not in one piece, so a search that spans both looks at the pieces. */
static bool is_found(const struct model_card *card, struct str search)
{
    struct str rest = search, first;
    if (search.n > SEARCH_MAX)
        return false;
    if (contains(card->model, search) || contains(card->name, search) ||
        contains(card->description, search) || contains(card->provider, search))
        return true;
    if (search.p[0] == '@')
        rest = str_from(search, 1);
    bool split = str_find_char(rest, '/') >= 0 && str_split(&rest, '/', &first);
    return split ? str_ends(card->provider, first) && str_starts_nocase(card->model, rest)
                 : search.p[0] == '@' && str_starts_nocase(card->provider, rest);
}

bool model_card_wants_provider(const struct model_card_query *query, struct str provider,
                               struct str service)
{
    struct str wanted = query->provider;
    if (wanted.n > 0 && wanted.p[0] == '@')
        wanted = str_from(wanted, 1);
    return (wanted.n == 0 || str_eq(wanted, provider) || str_eq(wanted, service)) &&
           (query->service.n == 0 || str_eq(query->service, service));
}

static struct str status_of(const struct model_card *card)
{
    return card->status.n == 0 ? STR("active") : card->status;
}

bool model_card_fits(const struct model_card *card, const struct model_card_query *query)
{
    struct str rest = query->capability, capability;
    bool custom = str_eq(query->custom, STR("true")) || str_eq(query->custom, STR("1"));
    while (rest.n > 0 && str_split(&rest, ',', &capability))
        if (!has_line(card->capabilities, str_trim(capability)))
            return false;
    return model_card_wants_provider(query, card->provider, card->service) &&
           (query->search.n == 0 || is_found(card, query->search)) &&
           (query->type.n == 0 || str_eq(query->type, card->type)) &&
           (query->status.n == 0 || str_eq(query->status, status_of(card))) &&
           (query->input.n == 0 || has_line(card->inputs, query->input)) &&
           (query->output.n == 0 || has_line(card->outputs, query->output)) &&
           (query->custom.n == 0 || custom == card->custom);
}

/* --- order */

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* The day the model came out, unix seconds; 0: not known. "2024-06" is its first day. */
static uint64_t created_s(const struct model_card *card)
{
    char day[11] = "2000-01-01";
    int64_t ms = card->created_ms;
    if (ms == 0 && card->release_date.n >= 7 && card->release_date.n <= 10) {
        memcpy(day, card->release_date.p, card->release_date.n);
        if (clock_from_text(str_c(day), &ms) != ST_OK)
            ms = 0;
    }
    return ms > 0 ? (uint64_t)ms / 1000 : 0;
}

int model_card_compare(const struct model_card *a, const struct model_card *b,
                       const struct model_card_query *query)
{
    int order = 0;
    if (str_eq(query->sort, STR("name")))
        order = str_cmp(a->model, b->model);
    else if (str_eq(query->sort, STR("ai_service")))
        order = str_cmp(a->service, b->service);
    else if (str_eq(query->sort, STR("context_window")))
        order = compare_u64(a->context_window_tokens, b->context_window_tokens);
    else if (str_eq(query->sort, STR("created")))
        order = compare_u64(created_s(a), created_s(b));
    if (order == 0)
        order = str_cmp(a->provider, b->provider);
    if (order == 0)
        order = str_cmp(a->model, b->model);
    return query->descending ? -order : order;
}

/* --- writing */

static void write_lines(struct json_writer *w, const char *name, struct str lines)
{
    struct str line;
    jw_key(w, name);
    jw_array(w);
    while (lines.n > 0 && str_split(&lines, '\n', &line))
        if (line.n > 0)
            jw_str(w, line);
    jw_end(w);
}

static void write_text(struct json_writer *w, const char *name, struct str text)
{
    jw_key(w, name);
    text.n == 0 ? jw_null(w) : jw_str(w, text);
}

static void write_count(struct json_writer *w, const char *name, uint64_t count)
{
    jw_key(w, name);
    count == 0 ? jw_null(w) : jw_u64(w, count);
}

static void write_price(struct json_writer *w, const struct model_card_price *price)
{
    jw_key(w, "price");
    if (price->source == MODEL_CARD_UNPRICED || price->row.has == 0) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_field_cstr(w, "currency", "USD");
    jw_field_cstr(w, "source", price->source == MODEL_CARD_INTEGRATION ? "integration" : "catalog");
    jw_key(w, "per_unit");
    jw_object(w);
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if ((price->row.has & PRICE_BIT(i)) == 0)
            continue;
        jw_key(w, price_class_unit((enum price_class)i));
        jw_decimal(w, price->row.picousd[i], PICOUSD_DIGITS);
    }
    jw_end(w);
    jw_end(w);
}

static void write_id(struct json_writer *w, const struct model_card *card)
{
    struct buf id;
    buf_init(&id, 4096);
    buf_add_char(&id, '@');
    buf_add_str(&id, card->provider);
    buf_add_char(&id, '/');
    buf_add_str(&id, card->model);
    jw_field_str(w, "id", buf_str(&id));
    buf_free(&id);
}

void model_card_write(struct json_writer *w, const struct model_card *card,
                      const struct model_card_price *price)
{
    jw_object(w);
    write_id(w, card);
    jw_field_cstr(w, "object", "model");
    jw_field_u64(w, "created", created_s(card));
    jw_field_str(w, "owned_by", card->service);
    jw_field_str(w, "slug", card->model);
    jw_field_str(w, "canonical_slug", card->canonical.n == 0 ? card->model : card->canonical);
    jw_field_str(w, "provider", card->provider);
    jw_field_str(w, "ai_service", card->service);
    jw_field_str(w, "name", card->name.n == 0 ? card->model : card->name);
    write_text(w, "description", card->description);
    write_text(w, "type", card->type);
    jw_field_bool(w, "is_custom", card->custom);
    jw_field_str(w, "status", status_of(card));
    jw_field_bool(w, "deprecated", str_eq(card->status, STR("deprecated")));
    write_text(w, "release_date", card->release_date);
    jw_key(w, "modalities");
    jw_object(w);
    write_lines(w, "input", card->inputs);
    write_lines(w, "output", card->outputs);
    jw_end(w);
    write_lines(w, "capabilities", card->capabilities);
    jw_key(w, "limits");
    jw_object(w);
    write_count(w, "context_window", card->context_window_tokens);
    write_count(w, "max_input_tokens", card->max_input_tokens);
    write_count(w, "max_output_tokens", card->max_output_tokens);
    jw_end(w);
    write_price(w, price);
    jw_end(w);
}
