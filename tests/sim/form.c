/* form.c: see form.h.
 *
 *   preamble --"--boundary"--> head --empty line--> data --CRLF "--boundary"--> head | "--" -> done
 *
 * The window holds what is not decided: in `data` at most one delimiter's length, because
 * everything before a possible delimiter is handed on at once. It must never keep a file in memory.
 */
#include "tests/sim/form.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FORM_FILE_HEAD_BYTES 64
#define FORM_WINDOW_MAX      (256 << 10)

/* Value of a parameter such as name="x" in a header value; the name is matched with '=' and must
 * follow ' ' or ';'. */
static bool form_parameter(struct str header, struct str name, struct str *value)
{
    for (size_t at = 1; at + name.n + 1 < header.n; at++) {
        char before = header.p[at - 1];
        if ((before != ' ' && before != ';') || header.p[at + name.n] != '=' ||
            !str_eq_nocase(str_of(header.p + at, name.n), name))
            continue;
        struct str rest = str_from(header, at + name.n + 1);
        if (rest.n > 0 && rest.p[0] == '"') {
            rest = str_from(rest, 1);
            ptrdiff_t quote = str_find_char(rest, '"');
            *value = quote < 0 ? rest : str_head(rest, (size_t)quote);
        } else {
            ptrdiff_t semicolon = str_find_char(rest, ';');
            *value = str_trim(semicolon < 0 ? rest : str_head(rest, (size_t)semicolon));
        }
        return true;
    }
    return false;
}

enum status form_open(struct str content_type, bool keep_files, struct form **out)
{
    struct str boundary;
    if (!form_parameter(content_type, STR("boundary"), &boundary) || boundary.n == 0 ||
        boundary.n > FORM_BOUNDARY_MAX)
        return ST_INVALID;
    struct form *form = calloc(1, sizeof *form);
    if (form == NULL)
        return ST_NO_MEMORY;
    buf_init(&form->delimiter, FORM_BOUNDARY_MAX + 4);
    buf_init(&form->window, FORM_WINDOW_MAX);
    buf_add_lit(&form->delimiter, "\r\n--");
    buf_add_str(&form->delimiter, boundary);
    buf_add_lit(&form->window, "\r\n"); /* so that the first delimiter looks like the others */
    form->keep_files = keep_files;
    *out = form;
    return ST_OK;
}

void form_close(struct form *form)
{
    if (form == NULL)
        return;
    for (size_t i = 0; i < form->count; i++) {
        struct form_part *part = &form->parts[i];
        buf_free(&part->name);
        buf_free(&part->filename);
        buf_free(&part->type);
        buf_free(&part->value);
        if (part->fd >= 0)
            close(part->fd);
    }
    buf_free(&form->delimiter);
    buf_free(&form->window);
    free(form);
}

static enum status form_open_file(struct form_part *part)
{
    const char *folder = getenv("TMPDIR");
    part->fd = open(folder == NULL ? "/tmp" : folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return part->fd < 0 ? ST_IO : ST_OK;
}

/* Reads the head of a part: header lines, each ended by CRLF. */
static enum status form_open_part(struct form *form, struct str head)
{
    if (form->count == FORM_PARTS_MAX)
        return ST_TOO_LARGE;
    struct form_part *part = &form->parts[form->count++];
    struct str line, value;
    *part = (struct form_part){.fd = -1};
    buf_init(&part->name, FORM_HEAD_MAX);
    buf_init(&part->filename, FORM_HEAD_MAX);
    buf_init(&part->type, FORM_HEAD_MAX);
    buf_init(&part->value, FORM_FIELD_MAX);
    while (str_split(&head, '\n', &line)) {
        line = str_trim(line);
        if (str_starts_nocase(line, STR("content-type:")))
            buf_add_str(&part->type, str_trim(str_from(line, 13)));
        if (!str_starts_nocase(line, STR("content-disposition:")))
            continue;
        if (form_parameter(line, STR("name"), &value))
            buf_add_str(&part->name, value);
        part->is_file = form_parameter(line, STR("filename"), &value);
        if (part->is_file)
            buf_add_str(&part->filename, value);
    }
    if (part->is_file && form->keep_files)
        return form_open_file(part);
    return part->name.n == 0 ? ST_INVALID : ST_OK;
}

static enum status form_data(struct form_part *part, struct str bytes)
{
    part->bytes += bytes.n;
    if (!part->is_file) {
        buf_add_str(&part->value, bytes);
        return buf_status(&part->value);
    }
    if (part->value.n < FORM_FILE_HEAD_BYTES)
        buf_add_str(&part->value, str_head(bytes, FORM_FILE_HEAD_BYTES - part->value.n));
    while (part->fd >= 0 && bytes.n > 0) {
        ssize_t put = write(part->fd, bytes.p, bytes.n);
        if (put < 0 && errno != EINTR)
            return ST_IO;
        bytes = str_from(bytes, put < 0 ? 0 : (size_t)put);
    }
    return ST_OK;
}

/* One step over the window; *more is cleared when it needs further bytes. */
static enum status form_step(struct form *form, bool *more)
{
    struct str window = buf_str(&form->window), delimiter = buf_str(&form->delimiter);
    if (form->state == FORM_HEAD) {
        if (window.n >= 2 && memcmp(window.p, "--", 2) == 0) {
            form->state = FORM_DONE;
            return ST_OK;
        }
        ptrdiff_t end = str_find(window, STR("\r\n\r\n"));
        if (end < 0) {
            *more = false;
            return window.n > FORM_HEAD_MAX ? ST_INVALID : ST_OK;
        }
        TRY(form_open_part(form, str_head(window, (size_t)end)));
        buf_drop_front(&form->window, (size_t)end + 4);
        form->state = FORM_DATA;
        return ST_OK;
    }
    if (form->state == FORM_DONE) {
        buf_clear(&form->window);
        *more = false;
        return ST_OK;
    }
    ptrdiff_t at = str_find(window, delimiter);
    size_t safe = at >= 0 ? (size_t)at : window.n < delimiter.n ? 0 : window.n - delimiter.n + 1;
    if (form->state == FORM_DATA && safe > 0)
        TRY(form_data(&form->parts[form->count - 1], str_head(window, safe)));
    buf_drop_front(&form->window, at >= 0 ? safe + delimiter.n : safe);
    if (at >= 0)
        form->state = FORM_HEAD;
    else
        *more = false;
    return ST_OK;
}

enum status form_feed(struct form *form, struct str bytes)
{
    buf_add_str(&form->window, bytes);
    TRY(buf_status(&form->window));
    bool more = true;
    while (more)
        TRY(form_step(form, &more));
    return ST_OK;
}

bool form_is_complete(const struct form *form)
{
    return form->state == FORM_DONE;
}

struct str form_field(const struct form *form, const char *name)
{
    for (size_t i = 0; form != NULL && i < form->count; i++) {
        const struct form_part *part = &form->parts[i];
        if (!part->is_file && str_eq(buf_str(&part->name), str_c(name)))
            return part->value.p == NULL ? STR("") : buf_str(&part->value);
    }
    return STR_NONE;
}

struct form_part *form_file(struct form *form, size_t i)
{
    for (size_t at = 0; form != NULL && at < form->count; at++) {
        if (form->parts[at].is_file && i-- == 0)
            return &form->parts[at];
    }
    return NULL;
}
