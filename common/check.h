/* check.h: what cannot happen, and how ownership moves.
 *
 * CHECK stays in release builds: a broken invariant ends the process before it can spend money wrongly.
 * Never use it on input: input errors are statuses (status.h).
 * A struct that lives on the heap begins with `uint32_t magic`; CHECK_OBJ proves a pointer is what it claims.
 * TAKE moves a pointer: the source is NULL afterwards.
 */
#ifndef SLUICE_COMMON_CHECK_H
#define SLUICE_COMMON_CHECK_H

#include <stdint.h>

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            check_failed(#cond, __FILE__, __LINE__);                                               \
    } while (0)

#define CHECK_OBJ(ptr, magic_value) CHECK((ptr) != NULL && (ptr)->magic == (magic_value))

#define TAKE(dst, src)                                                                             \
    do {                                                                                           \
        (dst) = *(src);                                                                            \
        *(src) = NULL;                                                                             \
    } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MUST_USE        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Writes one line to stderr and aborts. Never returns. */
_Noreturn void check_failed(const char *cond, const char *file, int line);

#endif
