/* log.h: one JSON object a line on one descriptor (stderr, or fd 6 in gateway children).
 *
 * Typed fields only; every string is JSON-escaped here, so nothing from outside can forge a line. A full pipe drops
 * the line and counts it (log_dropped). Never give it a secret: secrets have their own type (secret.h), which no
 * field accepts. Thread-safe; one write(2) per line; lines above 4 KiB are cut at a field.
 *
 *   log_info("worker_started", LOG_U64("worker", 3), LOG_STR("address", s));
 */
#ifndef SLUICE_COMMON_LOG_H
#define SLUICE_COMMON_LOG_H

#include "common/id.h"
#include "common/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_field_kind { LOG_FIELD_STR, LOG_FIELD_U64, LOG_FIELD_I64, LOG_FIELD_BOOL, LOG_FIELD_ID };

struct log_field {
    const char *name; /* a literal: [a-z0-9_] */
    enum log_field_kind kind;
    struct str str;
    uint64_t u64;
    int64_t i64;
    struct id id;
};

#define LOG_STR(field_name, value)  {.name = (field_name), .kind = LOG_FIELD_STR, .str = (value)}
#define LOG_CSTR(field_name, value) {.name = (field_name), .kind = LOG_FIELD_STR, .str = str_c(value)}
#define LOG_U64(field_name, value)  {.name = (field_name), .kind = LOG_FIELD_U64, .u64 = (uint64_t)(value)}
#define LOG_I64(field_name, value)  {.name = (field_name), .kind = LOG_FIELD_I64, .i64 = (int64_t)(value)}
#define LOG_BOOL(field_name, value) {.name = (field_name), .kind = LOG_FIELD_BOOL, .u64 = (value) ? 1 : 0}
#define LOG_ID(field_name, value)   {.name = (field_name), .kind = LOG_FIELD_ID, .id = *(value)}
#define LOG_STATUS(value)           LOG_CSTR("status", status_row(value)->code)

/* program: a literal such as "gateway.worker"; fd: where lines go; minimum: below it nothing is written. */
void log_open(const char *program, int fd, enum log_level minimum);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);
/* Appends stderr, and so all lines of log_open(.., 2, ..), to a file from now on; again: the file that has
 * the path now (after a rotation). n = 0 of path changes nothing. Keeps what was there on failure: ST_IO. */
MUST_USE enum status log_to_file(struct str path);
uint64_t log_dropped(void);
/* "debug" | "info" | "warn" | "error". ST_INVALID. */
MUST_USE enum status log_level_from_text(struct str text, enum log_level *level);

/* The list ends with LOG_END, which is not counted, so that an event may stand alone. */
#define LOG_END {.name = NULL}
#define LOG_AT(level, event, ...)                                                                  \
    do {                                                                                           \
        const struct log_field log_fields_[] = {__VA_ARGS__};                                      \
        log_write((level), (event), log_fields_, COUNT_OF(log_fields_) - 1);                       \
    } while (0)
#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...)  LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__, LOG_END)
#define log_warn(...)  LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__, LOG_END)
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__, LOG_END)

#endif
