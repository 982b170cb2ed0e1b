/* multipart_fuzz.c: a form that is still arriving. Holds that
 *   1. what is found, and whether it is, does not depend on how much arrives at a time;
 *   2. a value lies inside the body, behind the part's blank line and before a delimiter line;
 *   3. a boundary is 1 to 70 bytes of the content type.
 * Input: content type, newline, body; the first byte of the body chooses the size of the pieces.
 */
#include <stdlib.h>

#include "data-plane/worker/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

struct verdict {
    enum status status; /* ST_AGAIN at the end: the body ends early */
    struct str value;
};

/* As the worker does it: the body grows at one address, and a verdict other than "not yet" stays. */
static struct verdict find(struct str body, struct str boundary, size_t piece)
{
    struct verdict verdict = {.status = ST_AGAIN, .value = STR_NONE};
    size_t searched = 0;
    for (size_t n = piece; verdict.status == ST_AGAIN; n += piece) {
        verdict.status = multipart_find(str_head(body, n), boundary, STR("model"), &searched, &verdict.value);
        CHECK(searched <= body.n);
        if (n >= body.n)
            break;
    }
    return verdict;
}

static void check_value(struct str body, struct str boundary, struct str value)
{
    const char *end = value.p + value.n;
    CHECK(value.n <= MULTIPART_VALUE_MAX && value.p >= body.p && end <= body.p + body.n);
    struct str before = str_of(body.p, (size_t)(value.p - body.p));
    struct str behind = str_of(end, (size_t)(body.p + body.n - end));
    CHECK(str_ends(before, STR("\r\n\r\n")));
    CHECK(str_starts(behind, STR("\r\n--")));
    CHECK(str_starts(str_from(behind, 4), boundary));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_MAX_BYTES || size < 2)
        return 0;
    struct str text = str_of((const char *)data, size), boundary;
    ptrdiff_t line = str_find_char(text, '\n');
    if (line < 0 || (size_t)line + 2 > size)
        return 0;
    struct str type = str_head(text, (size_t)line);
    if (multipart_boundary(type, &boundary) != ST_OK)
        return 0;
    CHECK(boundary.n >= 1 && boundary.n <= 70 && boundary.p >= type.p &&
          boundary.p + boundary.n <= type.p + type.n);
    struct str rest = str_from(text, (size_t)line + 2);
    size_t piece = 1 + (unsigned char)text.p[line + 1] % 64u;
    char *copy = malloc(rest.n + 1);
    CHECK(copy != NULL);
    memcpy(copy, rest.p, rest.n);
    struct str body = str_of(copy, rest.n);
    struct verdict whole = find(body, boundary, body.n + 1), cut = find(body, boundary, piece);
    CHECK(whole.status == cut.status);
    if (whole.status == ST_OK) {
        CHECK(whole.value.p == cut.value.p && whole.value.n == cut.value.n);
        check_value(body, boundary, whole.value);
    }
    free(copy);
    return 0;
}
