/* usage_pick_fuzz.c: an answer's own account of its cost, from bytes nobody vouches for. Holds that
 *   1. the figures do not depend on where the answer is cut;
 *   2. a valid object whose plain "usage" member is small is understood as the validating scanner
 *      understands it;
 *   3. id and object stay NUL-terminated within their room;
 *   4. the readers of stream events take any bytes.
 * Input: one byte chooses the size of the pieces, the rest is the answer.
 */
#include <stdlib.h>

#include "data-plane/usage_pick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

static void feed(struct usage_pick *pick, char *room, struct str answer, size_t piece)
{
    usage_pick_init(pick, room);
    for (size_t at = 0; at < answer.n; at += piece) {
        struct str part = str_head(str_from(answer, at), piece);
        usage_pick_feed(pick, part.p, part.n);
    }
    CHECK(memchr(pick->id, '\0', sizeof pick->id) != NULL);
    CHECK(memchr(pick->object, '\0', sizeof pick->object) != NULL);
}

static void check_against_scan(const struct usage_pick *pick, struct str answer, char *room)
{
    struct json_field usage = {.name = "usage"};
    struct usage_pick direct;
    if (json_scan_object(answer, &usage, 1, NULL) != ST_OK)
        return;
    if (usage.raw.p == NULL || usage.raw.n > USAGE_PICK_MEMBER_MAX ||
        str_find(answer, STR("\"usage\"")) < 0)
        return;
    usage_pick_init(&direct, room);
    if (usage_pick_object(&direct, usage.raw))
        CHECK(pick->found && memcmp(&pick->usage, &direct.usage, sizeof direct.usage) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[3][USAGE_PICK_MEMBER_MAX];
    struct usage_pick whole, cut, event;
    bool only;
    if (size < 1 || size > FUZZ_MAX_BYTES)
        return 0;
    /* A block of exactly its size, so that a read beyond it is seen. */
    char *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    struct str answer = str_of(copy, size - 1);
    feed(&whole, room[0], answer, size);
    feed(&cut, room[1], answer, 1 + data[0] % 16u);
    CHECK(whole.found == cut.found && strcmp(whole.id, cut.id) == 0);
    CHECK(strcmp(whole.object, cut.object) == 0);
    CHECK(!whole.found || memcmp(&whole.usage, &cut.usage, sizeof whole.usage) == 0);
    check_against_scan(&whole, answer, room[2]);
    usage_pick_init(&event, room[2]);
    if (usage_pick_event(&event, answer, STR("x_groq.usage"), &only))
        CHECK(event.found);
    usage_pick_response_id(&event, answer);
    CHECK(memchr(event.id, '\0', sizeof event.id) != NULL);
    free(copy);
    return 0;
}
