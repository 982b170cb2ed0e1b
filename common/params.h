/* params.h: the programs' configuration, from the rows of params.def.
 *
 *   defaults  <  DIR/<name>.conf in order of name  <  --config=FILE (each, in order)  < --key=value
 *
 * DIR is /etc/sluice, or --config-dir=DIR (empty: none). A file has lines `key = value`; `#` starts
 * a comment line. A key that belongs to another program is checked and passed over in a file, so
 * programs may share one; on the command line it is refused. Unknown key, second value in one file,
 * value out of range, a secret given as a value: refused with a sentence that names file, line and
 * key. Nothing is half loaded.
 *
 * Owner: whoever called params_load; params_free releases. Read-only afterwards, so any thread may
 * read. HUP: load a second one from the same argv and swap. Limits: PARAMS_FILE_MAX bytes a file,
 * PARAMS_FILES_MAX files, PARAMS_VALUE_MAX bytes a value.
 */
#ifndef SLUICE_COMMON_PARAMS_H
#define SLUICE_COMMON_PARAMS_H

#include "common/arena.h"
#include "common/buf.h"

#define PARAMS_FILE_MAX  (64u * 1024u)
#define PARAMS_FILES_MAX 64
#define PARAMS_VALUE_MAX 4095

#define PARAMS_CONTROL 1u
#define PARAMS_GATEWAY 2u
#define PARAMS_CLI     4u
#define PARAMS_SERVERS (PARAMS_CONTROL | PARAMS_GATEWAY)
#define PARAMS_ALL     (PARAMS_SERVERS | PARAMS_CLI)

enum param {
#define PARAM(name, key, programs, type, def, min, max, text) PARAM_##name,
#include "common/params.def"
#undef PARAM
    PARAM_COUNT
};

enum params_type {
    PARAMS_STRING,
    PARAMS_U64,
    PARAMS_BOOL,
    PARAMS_MS,
    PARAMS_BYTES,
    PARAMS_PATH,
    PARAMS_LIST,
    PARAMS_SECRET
};

enum params_action { PARAMS_RUN, PARAMS_HELP, PARAMS_DUMP };

struct params_value {
    uint64_t number;    /* U64, BOOL (0, 1), MS (milliseconds), BYTES */
    struct str text;    /* as given, trimmed, NUL-terminated */
    const char *source; /* "default", "/etc/sluice/a.conf:3", "command line" */
};

struct params {
    unsigned program; /* PARAMS_CONTROL, PARAMS_GATEWAY or PARAMS_CLI */
    enum params_action action;
    int rest; /* index in argv of the first argument that is no option */
    struct arena arena;
    struct params_value values[PARAM_COUNT];
};

/* Loads for one program. argv[0] is skipped; options end at the first argument that does not begin
 * with `--`, or behind `--`; the servers take no such arguments. With --help or --dump-config
 * `action` tells which one to print. `why` gets one sentence when the status is not ST_OK.
 * ST_INVALID (any fault of the configuration), ST_NO_MEMORY, ST_IO. */
MUST_USE enum status params_load(struct params *params, unsigned program, int argc,
                                 char *const *argv, struct buf *why);
void params_free(struct params *params);

/* U64, BOOL, MS and BYTES rows; CHECKs the type. */
uint64_t params_u64(const struct params *params, enum param param);
bool params_bool(const struct params *params, enum param param);
/* Any row: the text as given, NUL-terminated; n = 0 when not set. borrows. */
struct str params_str(const struct params *params, enum param param);
/* Next item of a LIST row, trimmed, empty ones skipped. Start with *rest = params_str(...). */
bool params_next(struct str *rest, struct str *item);

/* SECRET rows: where the secret is: an inherited descriptor (*fd >= 0) or a file (*fd = -1, path
 * filled). ST_NOT_FOUND when the row is not set, ST_INVALID (no such systemd credential). */
MUST_USE enum status params_secret(const struct params *params, enum param param, int *fd,
                                   char path[PARAMS_VALUE_MAX + 1]);

/* The help text of the program: usage and every row. */
void params_help(const struct params *params, const char *usage, struct buf *out);
/* Every row of the program: `key = value  # source`. Where secrets are is shown; what they are is
 * not known here. */
void params_dump(const struct params *params, struct buf *out);

/* For documentation and tests: key as in files, and the row's facts. Never NULL. */
struct params_row {
    const char *key;
    unsigned programs;
    enum params_type type;
    const char *def;
    uint64_t min, max;
    const char *text;
};
const struct params_row *params_row(enum param param);

#endif
