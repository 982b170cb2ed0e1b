/* sse_fuzz.c: a stream of events, cut wherever it may be cut. Holds that
 *   1. the events (raw bytes, name, data) do not depend on where the bytes are cut;
 *   2. the raw bytes of all events and the rest, in order, are the bytes fed;
 *   3. a callback that says stop is not called again by that feed, and nothing is lost.
 * Input: one byte chooses the size of the pieces, the rest is the stream.
 */
#include "data-plane/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

struct record {
    struct buf raw, shape; /* all raw bytes; and per event its three parts with their lengths */
    bool once;             /* stop at each event */
    size_t calls;
};

static bool take(void *arg, const struct sse_event *event)
{
    struct record *record = arg;
    record->calls++;
    buf_add_str(&record->raw, event->raw);
    buf_printf(&record->shape, "%zu,%zu,%zu,%d:", event->raw.n, event->name.n, event->data.n,
               event->data.p != NULL);
    buf_add_str(&record->shape, event->name);
    buf_add_char(&record->shape, '|');
    buf_add_str(&record->shape, event->data);
    return !record->once;
}

static void run(struct record *record, struct str stream, size_t piece, bool once)
{
    struct sse sse;
    *record = (struct record){.once = once};
    buf_init(&record->raw, 1u << 20);
    buf_init(&record->shape, 1u << 22);
    sse_init(&sse);
    for (size_t at = 0; at < stream.n; at += piece) {
        struct str part = str_head(str_from(stream, at), piece);
        size_t before = record->calls;
        enum status status = sse_feed(&sse, part.p, part.n, take, record);
        while (status == ST_CLOSED) {
            CHECK(once && record->calls == before + 1);
            before = record->calls;
            status = sse_feed(&sse, NULL, 0, take, record);
            if (record->calls == before)
                break;
        }
        CHECK(status == ST_OK || once);
    }
    if (!once)
        buf_add_str(&record->raw, sse_rest(&sse));
    CHECK(buf_status(&record->raw) == ST_OK && buf_status(&record->shape) == ST_OK);
    sse_free(&sse);
}

static void record_free(struct record *record)
{
    buf_free(&record->raw);
    buf_free(&record->shape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FUZZ_MAX_BYTES)
        return 0;
    struct str stream = str_of((const char *)data + 1, size - 1);
    struct record whole, cut, stopped;
    run(&whole, stream, stream.n + 1, false);
    run(&cut, stream, 1 + data[0] % 16u, false);
    CHECK(str_eq(buf_str(&whole.raw), stream) && str_eq(buf_str(&cut.raw), stream));
    CHECK(whole.calls == cut.calls && str_eq(buf_str(&whole.shape), buf_str(&cut.shape)));
    run(&stopped, stream, 1 + data[0] % 16u, true);
    CHECK(stopped.calls <= whole.calls);
    CHECK(str_starts(buf_str(&whole.raw), buf_str(&stopped.raw)));
    record_free(&whole);
    record_free(&cut);
    record_free(&stopped);
    return 0;
}
