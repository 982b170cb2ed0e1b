/* params.c: loads, checks and looks up the rows of params.def.
 *
 * Every value passes set_value, whether it comes from the table, a file or an argument, so a
 * default that breaks its own rule is found by the first test. What is refused is told in one
 * sentence with its place; a value that may be a secret by mistake (an unknown key's, a SECRET
 * row's) is never repeated in it.
 *
 * Invariant: after ST_OK every row of the program has a checked value and a source; after a failure
 * nothing is held. It must never read the environment, but for systemd's CREDENTIALS_DIRECTORY.
 */
#include "common/params.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARAMS_DIR         "/etc/sluice"
#define PARAMS_ARENA_BYTES (8u * 1024u * 1024u)
#define PARAMS_FD_MAX      65535u
#define SHOWN_MAX          64 /* bytes of a faulty key or value that a sentence repeats */

static const struct params_row rows[] = {
#define PARAM(name, key, programs, type, def, min, max, text)                                      \
    {#key, (programs), PARAMS_##type, def, min, max, text},
#include "common/params.def"
#undef PARAM
};

/* Where a value comes from: `file` is 0 for the table and the command line, else it counts files.
 */
struct place {
    const char *path; /* NULL: no file */
    unsigned line, file;
};

struct loader {
    struct params *params;
    struct buf *why;
    unsigned set_by[PARAM_COUNT]; /* `file` of the place that set the row last */
    unsigned files;
    const char *names[PARAMS_FILES_MAX]; /* of one folder, while it is read */
};

const struct params_row *params_row(enum param param)
{
    CHECK((size_t)param < COUNT_OF(rows));
    return &rows[param];
}

/* Adds up to SHOWN_MAX bytes, anything but visible ASCII as `?`. */
static void add_shown(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n && i < SHOWN_MAX; i++)
        buf_add_char(out, s.p[i] > ' ' && s.p[i] < 0x7F ? s.p[i] : '?');
    if (s.n > SHOWN_MAX)
        buf_add_lit(out, "...");
}

/* "PLACE: `key`SENTENCE"; `key` may be empty. Always ST_INVALID. */
static enum status refuse(struct loader *l, const struct place *place, struct str key,
                          const char *sentence)
{
    if (place->path != NULL) {
        add_shown(l->why, str_c(place->path));
        buf_printf(l->why, ":%u: ", place->line);
    }
    if (key.n > 0) {
        buf_add_char(l->why, '`');
        add_shown(l->why, key);
        buf_add_lit(l->why, "` ");
    }
    buf_add_str(l->why, str_c(sentence));
    return ST_INVALID;
}

/* --- values */

struct suffix {
    struct str text;
    uint64_t factor;
};

static const struct suffix ms_suffixes[] = {
    {{"", 0}, 1},      {{"ms", 2}, 1},      {{"s", 1}, 1000},
    {{"m", 1}, 60000}, {{"h", 1}, 3600000}, {{"d", 1}, 86400000},
};
static const struct suffix byte_suffixes[] = {
    {{"", 0}, 1},
    {{"KiB", 3}, 1u << 10},
    {{"MiB", 3}, 1u << 20},
    {{"GiB", 3}, 1u << 30},
};

static enum status read_number(struct str text, const struct suffix *suffixes, size_t count,
                               uint64_t *value)
{
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    uint64_t number;
    TRY(str_to_u64(str_head(text, digits), &number));
    struct str suffix = str_trim(str_from(text, digits));
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(suffix, suffixes[i].text))
            continue;
        if (__builtin_mul_overflow(number, suffixes[i].factor, &number))
            return ST_RANGE;
        *value = number;
        return ST_OK;
    }
    return ST_INVALID;
}

static bool is_credential_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_' || c == '-' || (c == '.' && i > 0)))
            return false;
    }
    return name.n > 0;
}

static bool is_secret_source(struct str text)
{
    uint64_t fd;
    if (str_starts(text, STR("fd:")))
        return str_to_u64(str_from(text, 3), &fd) == ST_OK && fd <= PARAMS_FD_MAX;
    if (str_starts(text, STR("credential:")))
        return is_credential_name(str_from(text, 11));
    return text.p[0] == '/' || (str_starts(text, STR("file:")) && text.n > 5);
}

static bool is_clean_text(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F)
            return false;
    return str_is_utf8(text);
}

static enum status refuse_range(struct loader *l, const struct place *place, struct str key,
                                const struct params_row *row)
{
    char sentence[128];
    const char *unit = row->type == PARAMS_MS ? " ms" : row->type == PARAMS_BYTES ? " bytes" : "";
    snprintf(sentence, sizeof sentence, "must be from %" PRIu64 " to %" PRIu64 "%s", row->min,
             row->max, unit);
    return refuse(l, place, key, sentence);
}

/* Reads `text` by the row's type into *number. */
static enum status check_value(struct loader *l, const struct params_row *row, struct str text,
                               const struct place *place, uint64_t *number)
{
    struct str key = str_c(row->key);
    enum status status = ST_OK;
    const char *wanted = "must be a number";
    switch (row->type) {
    case PARAMS_STRING:
    case PARAMS_PATH:
    case PARAMS_LIST:
        return ST_OK;
    case PARAMS_SECRET:
        if (text.n == 0 || is_secret_source(text))
            return ST_OK;
        return refuse(l, place, key,
                      "says where the secret is read from: file:/path, fd:N or credential:NAME");
    case PARAMS_BOOL:
        *number = str_eq(text, STR("true"));
        return *number == 1 || str_eq(text, STR("false"))
                   ? ST_OK
                   : refuse(l, place, key, "must be true or false");
    case PARAMS_U64:
        status = str_to_u64(text, number);
        break;
    case PARAMS_MS:
        status = read_number(text, ms_suffixes, COUNT_OF(ms_suffixes), number);
        wanted = "must be a duration, such as 500ms, 10s, 5m, 24h or 7d";
        break;
    case PARAMS_BYTES:
        status = read_number(text, byte_suffixes, COUNT_OF(byte_suffixes), number);
        wanted = "must be a size, such as 65536, 64KiB, 32MiB or 4GiB";
        break;
    }
    if (status == ST_INVALID)
        return refuse(l, place, key, wanted);
    if (status == ST_RANGE || *number < row->min || *number > row->max)
        return refuse_range(l, place, key, row);
    return ST_OK;
}

static enum status set_value(struct loader *l, enum param param, struct str text,
                             const struct place *place, const char *source)
{
    const struct params_row *row = params_row(param);
    struct params_value value = {.source = source};
    text = str_trim(text);
    if (text.n > PARAMS_VALUE_MAX)
        return refuse(l, place, str_c(row->key), "is too long");
    if (!is_clean_text(text))
        return refuse(l, place, str_c(row->key), "must be UTF-8 without control characters");
    TRY(check_value(l, row, text, place, &value.number));
    value.text = arena_str(&l->params->arena, text);
    if (value.text.p == NULL)
        return ST_NO_MEMORY;
    l->params->values[param] = value;
    l->set_by[param] = place->file;
    return ST_OK;
}

static bool key_is(struct str key, const char *name)
{
    struct str wanted = str_c(name);
    if (key.n != wanted.n)
        return false;
    for (size_t i = 0; i < key.n; i++)
        if ((key.p[i] == '-' ? '_' : key.p[i]) != wanted.p[i])
            return false;
    return true;
}

static bool find_row(struct str key, enum param *param)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (key_is(key, rows[i].key)) {
            *param = (enum param)i;
            return true;
        }
    }
    return false;
}

/* --- files */

static enum status read_line(struct loader *l, struct str line, const struct place *place)
{
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return ST_OK;
    ptrdiff_t equals = str_find_char(line, '=');
    if (equals < 0)
        return refuse(l, place, STR_NONE, "a line must be `key = value`");
    struct str key = str_trim(str_head(line, (size_t)equals));
    enum param param;
    if (!find_row(key, &param))
        return refuse(l, place, key, "is no known key");
    if (l->set_by[param] == place->file)
        return refuse(l, place, key, "is given twice in this file");
    struct str source = arena_printf(&l->params->arena, "%s:%u", place->path, place->line);
    if (source.p == NULL)
        return ST_NO_MEMORY;
    return set_value(l, param, str_from(line, (size_t)equals + 1), place, source.p);
}

static enum status refuse_file(struct loader *l, const char *path, const char *sentence)
{
    return refuse(l, &(struct place){.path = NULL}, str_c(path), sentence);
}

/* Reads the whole file into the arena. */
static enum status slurp(struct loader *l, const char *path, struct str *text)
{
    enum status status = ST_OK;
    struct stat st;
    size_t n = 0;
    char *room = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse_file(l, path, errno == ENOENT ? "does not exist" : "cannot be opened");
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        status = refuse_file(l, path, "is no regular file");
        goto out;
    }
    if ((st.st_mode & S_IWOTH) != 0) {
        status =
            refuse_file(l, path, "can be written by everybody; make it writable by its owner only");
        goto out;
    }
    if (st.st_size > PARAMS_FILE_MAX) {
        status = refuse_file(l, path, "is too large");
        goto out;
    }
    room = arena_alloc(&l->params->arena, (size_t)st.st_size + 1);
    if (room == NULL) {
        status = ST_NO_MEMORY;
        goto out;
    }
    while (n <= (size_t)st.st_size) {
        ssize_t got = read(fd, room + n, (size_t)st.st_size + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = refuse_file(l, path, "cannot be read");
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    if (n > (size_t)st.st_size)
        status = refuse_file(l, path, "grew while it was read");
    if (status == ST_OK)
        *text = str_of(room, n);
out:
    close(fd);
    return status;
}

static enum status load_file(struct loader *l, const char *path)
{
    struct str rest, line;
    if (l->files == PARAMS_FILES_MAX)
        return refuse_file(l, path, "is one configuration file too many");
    TRY(slurp(l, path, &rest));
    struct place place = {.path = path, .file = ++l->files};
    while (str_split(&rest, '\n', &line)) {
        place.line++;
        TRY(read_line(l, line, &place));
    }
    return ST_OK;
}

/* Keeps l->names sorted. */
static enum status keep_name(struct loader *l, const char *dir, const char *name, size_t *count)
{
    struct str path = arena_printf(&l->params->arena, "%s/%s", dir, name);
    if (path.p == NULL)
        return ST_NO_MEMORY;
    if (*count == PARAMS_FILES_MAX)
        return refuse_file(l, dir, "holds too many configuration files");
    size_t at = (*count)++;
    for (; at > 0 && strcmp(l->names[at - 1], path.p) > 0; at--)
        l->names[at] = l->names[at - 1];
    l->names[at] = path.p;
    return ST_OK;
}

static enum status load_dir(struct loader *l, const char *path, bool required)
{
    enum status status = ST_OK;
    size_t count = 0;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return required || errno != ENOENT ? refuse_file(l, path, "cannot be read as a folder")
                                           : ST_OK;
    const struct dirent *entry;
    while (status == ST_OK && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && str_ends(str_c(entry->d_name), STR(".conf")))
            status = keep_name(l, path, entry->d_name, &count);
    closedir(dir);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = load_file(l, l->names[i]);
    return status;
}

/* --- arguments */

/* Splits "--key=value". False when the argument is no option. *has tells whether there is a '='. */
static bool read_option(const char *arg, struct str *key, struct str *value, bool *has)
{
    struct str text = str_c(arg);
    if (!str_starts(text, STR("--")) || text.n == 2)
        return false;
    text = str_from(text, 2);
    ptrdiff_t equals = str_find_char(text, '=');
    *has = equals >= 0;
    *key = *has ? str_head(text, (size_t)equals) : text;
    *value = *has ? str_from(text, (size_t)equals + 1) : STR_NONE;
    return true;
}

static enum status set_option(struct loader *l, struct str key, struct str value, bool has)
{
    static const struct place none = {.path = NULL};
    enum param param;
    char option[SHOWN_MAX + 3];
    snprintf(option, sizeof option, "--%.*s", (int)(key.n < SHOWN_MAX ? key.n : SHOWN_MAX), key.p);
    if (!find_row(key, &param))
        return refuse(l, &none, str_c(option), "is no known option; --help lists them");
    const struct params_row *row = params_row(param);
    if ((row->programs & l->params->program) == 0)
        return refuse(l, &none, str_c(option), "is an option of another program");
    if (!has && row->type != PARAMS_BOOL)
        return refuse(l, &none, str_c(option), "needs a value: --key=value");
    return set_value(l, param, has ? value : STR("true"), &none, "command line");
}

/* Options that are about the configuration itself. */
static bool is_own_option(struct str key)
{
    return key_is(key, "config") || key_is(key, "config_dir") || key_is(key, "help") ||
           key_is(key, "dump_config");
}

/* First round: what to do, where the folder is, and which argument is the first that is no option.
 */
static enum status scan_options(struct loader *l, int argc, char *const *argv, const char **dir)
{
    static const struct place none = {.path = NULL};
    struct params *params = l->params;
    struct str key, value;
    bool has;
    int at = 1;
    for (; at < argc && read_option(argv[at], &key, &value, &has); at++) {
        bool wants_value = key_is(key, "config") || key_is(key, "config_dir");
        if (is_own_option(key) && has != wants_value)
            return refuse(l, &none, key, has ? "takes no value" : "needs a value: --key=value");
        if (key_is(key, "config_dir"))
            *dir = value.p;
        else if (key_is(key, "help"))
            params->action = PARAMS_HELP;
        else if (key_is(key, "dump_config") && params->action == PARAMS_RUN)
            params->action = PARAMS_DUMP;
    }
    if (at < argc && strcmp(argv[at], "--") == 0)
        at++;
    params->rest = at;
    if (at < argc && params->program != PARAMS_CLI)
        return refuse(l, &none, str_c(argv[at]), "is not an option; --help lists them");
    return ST_OK;
}

static enum status load_all(struct loader *l, int argc, char *const *argv)
{
    static const struct place table = {.path = NULL};
    const char *dir = NULL;
    struct str key, value;
    bool has;
    TRY(scan_options(l, argc, argv, &dir));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        TRY(set_value(l, (enum param)i, str_c(rows[i].def), &table, "default"));
    if (l->params->action == PARAMS_HELP)
        return ST_OK;
    if (dir == NULL || dir[0] != '\0')
        TRY(load_dir(l, dir == NULL ? PARAMS_DIR : dir, dir != NULL));
    for (int i = 1; i < argc && read_option(argv[i], &key, &value, &has); i++)
        if (key_is(key, "config"))
            TRY(load_file(l, value.p));
    for (int i = 1; i < argc && read_option(argv[i], &key, &value, &has); i++)
        if (!is_own_option(key))
            TRY(set_option(l, key, value, has));
    return ST_OK;
}

enum status params_load(struct params *params, unsigned program, int argc, char *const *argv,
                        struct buf *why)
{
    struct loader loader = {.params = params, .why = why};
    *params = (struct params){.program = program};
    arena_init(&params->arena, PARAMS_ARENA_BYTES);
    enum status status = load_all(&loader, argc, argv);
    if (status != ST_OK)
        params_free(params);
    return status;
}

void params_free(struct params *params)
{
    arena_free(&params->arena);
    *params = (struct params){.program = params->program};
}
