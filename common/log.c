/* log.c: formats one line into a stack buffer and writes it once.
 *
 *   {"ts":"2026-11-21T08:00:00.000Z","level":"info","program":"control","pid":7,"event":"started",...fields}
 *
 * Invariant: whatever the values hold, the output is one line of valid JSON. Must never block for long: children's
 * log pipe is non-blocking, and a refused write only moves a counter.
 */
#include "common/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"

#define LOG_LINE_BYTES 4096
#define LOG_TAIL_BYTES 32 /* kept free for `,"cut":true}\n` */

static const char *log_program = "sluice";
static int log_fd = 2;
static enum log_level log_minimum = LOG_LEVEL_INFO;
static _Atomic uint64_t dropped;

struct line {
    char bytes[LOG_LINE_BYTES];
    size_t n;
    bool full;
};

void log_open(const char *program, int fd, enum log_level minimum)
{
    log_program = program;
    log_fd = fd;
    log_minimum = minimum;
}

uint64_t log_dropped(void)
{
    return dropped;
}

static void line_add(struct line *line, const char *p, size_t n)
{
    if (line->full || n > sizeof line->bytes - LOG_TAIL_BYTES - line->n) {
        line->full = true;
        return;
    }
    memcpy(line->bytes + line->n, p, n);
    line->n += n;
}

static void line_add_c(struct line *line, const char *text)
{
    line_add(line, text, strlen(text));
}

static void line_add_json(struct line *line, struct str s)
{
    line_add_c(line, "\"");
    bool utf8 = str_is_utf8(s);
    for (size_t i = 0; i < s.n && !line->full; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char escaped[8];
        if (c == '"' || c == '\\') {
            escaped[0] = '\\';
            escaped[1] = (char)c;
            line_add(line, escaped, 2);
        } else if (c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8)) {
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            line_add(line, escaped, 6);
        } else {
            line_add(line, (const char *)&s.p[i], 1);
        }
    }
    line_add_c(line, "\"");
}

static void line_add_value(struct line *line, const struct log_field *field)
{
    char text[ID_TEXT + 8];
    switch (field->kind) {
    case LOG_FIELD_STR:
        line_add_json(line, field->str);
        break;
    case LOG_FIELD_U64:
        snprintf(text, sizeof text, "%" PRIu64, field->u64);
        line_add_c(line, text);
        break;
    case LOG_FIELD_I64:
        snprintf(text, sizeof text, "%" PRId64, field->i64);
        line_add_c(line, text);
        break;
    case LOG_FIELD_BOOL:
        line_add_c(line, field->u64 != 0 ? "true" : "false");
        break;
    case LOG_FIELD_ID:
        id_to_text(&field->id, text);
        line_add_json(line, str_c(text));
        break;
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < log_minimum)
        return;
    struct line line = {.n = 0};
    char stamp[CLOCK_TEXT + 1], head[160];
    clock_to_text(clock_wall_ms(), stamp);
    snprintf(head, sizeof head, "{\"ts\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"pid\":%d,\"event\":\"%s\"",
             stamp, names[level], log_program, (int)getpid(), event);
    line_add_c(&line, head);
    for (size_t i = 0; i < count; i++) {
        size_t before = line.n;
        line_add_c(&line, ",\"");
        line_add_c(&line, fields[i].name);
        line_add_c(&line, "\":");
        line_add_value(&line, &fields[i]);
        if (line.full) {
            line.n = before;
            break;
        }
    }
    const char *tail = line.full ? ",\"cut\":true}\n" : "}\n";
    memcpy(line.bytes + line.n, tail, strlen(tail));
    line.n += strlen(tail);
    if (write(log_fd, line.bytes, line.n) != (ssize_t)line.n)
        dropped++;
}

enum status log_level_from_text(struct str text, enum log_level *level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(text, str_c(names[i]))) {
            *level = (enum log_level)i;
            return ST_OK;
        }
    }
    return ST_INVALID;
}

enum status log_to_file(struct str path)
{
    if (path.n == 0)
        return ST_OK;
    int fd = open(path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return ST_IO;
    bool placed = dup2(fd, STDERR_FILENO) == STDERR_FILENO;
    close(fd);
    return placed ? ST_OK : ST_IO;
}
