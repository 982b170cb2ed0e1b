/* preamble_fuzz.c: events of providers' streams. Input: a byte that chooses the operation, then the
 * event's data. Holds that
 *   1. an event that failed has a status of 400 to 599, and no other sets one;
 *   2. the same event is judged the same again;
 *   3. an event without data only opens, one that is too large to read passes.
 */
#include "data-plane/worker/preamble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum op ops[] = {OP_CHAT, OP_COMPLETIONS, OP_MESSAGES, OP_RESPONSES_CREATE,
                                  OP_AUDIO_SPEECH};
    if (size == 0)
        return 0;
    enum op op = ops[data[0] % COUNT_OF(ops)];
    struct sse_event event = {.data = str_of((const char *)data + 1, size - 1)};
    int http_status = 0, again = 0;
    enum preamble kind = preamble_judge(op, &event, &http_status);
    CHECK(kind == PREAMBLE_FAILED ? http_status >= 400 && http_status <= 599 : http_status == 0);
    CHECK(preamble_judge(op, &event, &again) == kind && again == http_status);
    CHECK(size > 1 || kind == PREAMBLE_OPENS);
    event.oversize = true;
    CHECK(preamble_judge(op, &event, &again) == PREAMBLE_CONTENT);
    return 0;
}
