/* trace.c: trace context and the headers about an answer (trace.h).
 *
 *   traceparent   00 - 4bf92f3577b34da6a3ce929d0e0e4736 - 00f067aa0ba902b7 - 01
 *                 version      trace id                    caller's span     flags
 *
 * Invariant: a trace id and a span are never all zeros, which the standard calls invalid; a
 * header's value is printable ASCII of bounded length, whatever a document said.
 */
#include "data-plane/worker/trace.h"

#define GUARDS_SHOWN 256u

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* lower case only, says the standard */
}

/* Takes n bytes of hexadecimal from the front; false also if they are all zeros and that is not
 * allowed. */
static bool take_hex(struct str *text, uint8_t *out, size_t n, bool may_be_zero)
{
    uint8_t any = 0;
    if (text->n < 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text->p[2 * i]), low = hex_digit(text->p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        any |= out[i];
    }
    *text = str_from(*text, 2 * n);
    return any != 0 || may_be_zero;
}

static bool take_dash(struct str *text)
{
    if (text->n == 0 || text->p[0] != '-')
        return false;
    *text = str_from(*text, 1);
    return true;
}

/* A version that is not known yet begins as this one does, and may go on behind another dash. */
static bool parse(struct str text, struct trace *out)
{
    uint8_t version, flags;
    bool fits = take_hex(&text, &version, 1, true) && version != 0xFF && take_dash(&text) &&
                take_hex(&text, out->trace_id, 16, false) && take_dash(&text) &&
                take_hex(&text, out->caller_span, 8, false) && take_dash(&text) &&
                take_hex(&text, &flags, 1, true);
    if (!fits || (text.n > 0 && (version == 0 || text.p[0] != '-')))
        return false;
    out->sampled = flags & 1;
    return true;
}

static void copy_not_zero(uint8_t *to, const uint8_t *random, size_t n)
{
    uint8_t any = 0;
    memcpy(to, random, n);
    for (size_t i = 0; i < n; i++)
        any |= to[i];
    to[n - 1] = any == 0 ? 1 : to[n - 1];
}

void trace_begin(struct trace *trace, struct str traceparent, const uint8_t random[24])
{
    struct trace joined = {.joined = true};
    if (traceparent.n > 0 && parse(str_trim(traceparent), &joined)) {
        *trace = joined;
    } else {
        *trace = (struct trace){.sampled = 0};
        copy_not_zero(trace->trace_id, random, 16);
    }
    copy_not_zero(trace->span, random + 16, 8);
}

void trace_next_span(struct trace *trace, const uint8_t random[8])
{
    copy_not_zero(trace->span, random, 8);
}

static char *put_hex(char *at, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

void trace_to_text(const struct trace *trace, char text[TRACE_PARENT_TEXT + 1])
{
    const uint8_t version = 0;
    char *at = put_hex(text, &version, 1);
    *at++ = '-';
    at = put_hex(at, trace->trace_id, 16);
    *at++ = '-';
    at = put_hex(at, trace->span, 8);
    *at++ = '-';
    at = put_hex(at, &trace->sampled, 1);
    *at = '\0';
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > 0x7E)
            return false;
    return true;
}

struct str trace_state(const struct trace *trace, struct str tracestate)
{
    bool passes = trace->joined && tracestate.n <= TRACE_STATE_MAX && is_printable(tracestate);
    return passes ? tracestate : STR_NONE;
}

/* --- the headers about an answer --- */

static size_t add(struct reply_header *headers, size_t count, struct str name, struct str value)
{
    if (value.n > 0)
        headers[count++] = (struct reply_header){name, value};
    return count;
}

/* "a\nb\n" -> "a, b", printable. */
static struct str join_lines(struct arena *arena, struct str lines)
{
    char *out = lines.n == 0 ? NULL : arena_alloc(arena, GUARDS_SHOWN + 2);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i + 1 < lines.n && n < GUARDS_SHOWN; i++) {
        char c = lines.p[i];
        if (c == '\n')
            out[n++] = ',';
        out[n++] = (char)(c == '\n' ? ' ' : c < 0x20 || c > 0x7E ? '?' : c);
    }
    return str_of(out, n);
}

static size_t count_lines(struct str lines)
{
    size_t n = 0;
    for (size_t i = 0; i < lines.n; i++)
        n += lines.p[i] == '\n';
    return n;
}

size_t trace_reply_headers(const struct trace_reply *reply, struct arena *arena,
                           struct reply_header *headers, size_t count)
{
    static const struct str caches[] = {{"DISABLED", 8}, {"HIT", 3}, {"MISS", 4}, {"REFRESH", 7}};
    struct str warnings = STR_NONE;
    if (reply->warnings.n > 0)
        warnings = arena_printf(arena, "%zu", count_lines(reply->warnings));
    count = add(headers, count, STR("x-portkey-provider"), reply->provider);
    count = add(headers, count, STR("x-portkey-last-used-option-index"), reply->option_index);
    count = add(headers, count, STR("x-portkey-retry-attempt-count"),
                arena_printf(arena, "%d", reply->retry_count));
    count = add(headers, count, STR("x-portkey-cache-status"), caches[reply->cache]);
    count = add(headers, count, STR("x-sluice-ignored-guards"),
                join_lines(arena, reply->ignored_guards));
    return add(headers, count, STR("x-sluice-config-warnings"), warnings);
}
