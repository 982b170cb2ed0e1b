/* simple_base64.c: vectors from numbers in JSON to base64 of floats, as OpenAI's SDKs ask for them.
 *
 * A thousand numbers a vector and hundreds of vectors an answer: almost all of them have at most 19
 * digits and a small exponent, where whole digits and one multiplication or division by a power of
 * ten are exact in a double, or its last bit, which a float does not have. Others go the slow way.
 * Nothing here decides or is recorded.
 */
#include <sodium.h>
#include <stdlib.h>

#include "common/json_scan.h"
#include "data-plane/dialect/simple.h"

#define EXACT_POWER 22 /* 10^22 is the last power of ten that a double holds */
#define SLOW_MAX    64

static double power_of_ten(int n)
{
    double power = 1;
    for (; n > 0; n--)
        power *= 10;
    return power;
}

static double slow(struct str number)
{
    char text[SLOW_MAX];
    size_t n = number.n < sizeof text - 1 ? number.n : sizeof text - 1;
    memcpy(text, number.p, n);
    text[n] = '\0';
    return strtod(text, NULL);
}

/* A valid JSON number. */
static float float_of(struct str number)
{
    static double powers[EXACT_POWER + 1];
    bool minus = number.p[0] == '-', fraction = false;
    uint64_t digits = 0;
    int count = 0, exponent = 0;
    if (powers[0] == 0)
        for (int i = 0; i <= EXACT_POWER; i++)
            powers[i] = power_of_ten(i);
    for (size_t i = minus ? 1 : 0; i < number.n; i++) {
        char c = number.p[i];
        if (c == '.') {
            fraction = true;
            continue;
        }
        if (c < '0' || c > '9') {
            int64_t shift;
            struct str rest = str_from(number, i + 1);
            if (rest.n > 0 && rest.p[0] == '+')
                rest = str_from(rest, 1);
            if (str_to_i64(rest, &shift) != ST_OK || shift < -400 || shift > 400)
                return (float)slow(number);
            exponent += (int)shift;
            break;
        }
        if (digits != 0 || c != '0')
            count++;
        digits = digits * 10 + (uint64_t)(c - '0');
        exponent -= fraction ? 1 : 0;
        if (count > 18)
            return (float)slow(number);
    }
    if (exponent < -EXACT_POWER || exponent > EXACT_POWER)
        return (float)slow(number);
    double value = (double)digits;
    value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    return (float)(minus ? -value : value);
}

static size_t count_numbers(struct str vector)
{
    size_t count = 1;
    for (size_t i = 0; i < vector.n; i++)
        count += vector.p[i] == ',';
    return count;
}

enum status simple_base64(struct arena *arena, struct str vector, struct str *text)
{
    size_t room = count_numbers(vector) * 4, n = 0, at = 0;
    size_t text_room = sodium_base64_ENCODED_LEN(room, sodium_base64_VARIANT_ORIGINAL);
    unsigned char *bytes = arena_alloc(arena, room);
    char *out = arena_alloc(arena, text_room);
    struct str name, value;
    enum json_type type;
    if (bytes == NULL || out == NULL)
        return ST_NO_MEMORY;
    while (json_scan_next(vector, &at, &name, &value, &type)) {
        if (type != JSON_NUMBER || n == room)
            return ST_INVALID;
        float number = float_of(value);
        uint32_t word;
        memcpy(&word, &number, sizeof word);
        for (int i = 0; i < 4; i++)
            bytes[n++] = (unsigned char)(word >> (8 * i));
    }
    sodium_bin2base64(out, text_room, bytes, n, sodium_base64_VARIANT_ORIGINAL);
    *text = str_of(out, strlen(out));
    return ST_OK;
}
