/* form.h: a multipart/form-data body (RFC 7578), taken apart as it arrives.
 *
 * Owner: the request. Fields are kept (FORM_FIELD_MAX bytes each); files are counted, and kept in
 * an unlinked temporary file when asked to, so an upload of any size costs a fixed amount of
 * memory. Bounded: FORM_PARTS_MAX parts.
 */
#ifndef SLUICE_TESTS_SIM_FORM_H
#define SLUICE_TESTS_SIM_FORM_H

#include "common/buf.h"

#define FORM_PARTS_MAX    64
#define FORM_FIELD_MAX    (1 << 20)
#define FORM_HEAD_MAX     8192
#define FORM_BOUNDARY_MAX 200

struct form_part {
    struct buf name, filename, type;
    struct buf value; /* of a field; of a file its first 64 bytes */
    bool is_file;
    uint64_t bytes;
    int fd; /* the file's content, or -1 */
};

enum form_state { FORM_PREAMBLE, FORM_HEAD, FORM_DATA, FORM_DONE };

struct form {
    struct buf delimiter; /* CRLF "--" boundary */
    struct buf window;    /* bytes not yet decided */
    enum form_state state;
    bool keep_files;
    struct form_part parts[FORM_PARTS_MAX];
    size_t count;
};

/* `content_type` names the boundary. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status form_open(struct str content_type, bool keep_files, struct form **form);
/* Takes the next bytes of the body. ST_INVALID when it is no such form, ST_TOO_LARGE, ST_IO,
 * ST_NO_MEMORY. */
MUST_USE enum status form_feed(struct form *form, struct str bytes);
/* True when the closing delimiter was seen. */
bool form_is_complete(const struct form *form);
/* Releases; accepts NULL. */
void form_close(struct form *form);

/* Value of a field by name, or p = NULL. */
struct str form_field(const struct form *form, const char *name);
/* The i-th file, or NULL. */
struct form_part *form_file(struct form *form, size_t i);

#endif
