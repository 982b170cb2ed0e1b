/* builtin.c: walks the catalog-data folder line by line (rows: builtin_row.c).
 *
 * manifest.json says which files belong to the catalog and how many rows each has, so a copy that
 * was cut or mixed is noticed. Rows stand in strictly ascending order, which is how a double one is
 * found without keeping them.
 * Must never follow a name out of the folder: a provider's slug becomes a file name only after it
 * was checked.
 */
#include "control-plane/domain/builtin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "control-plane/domain/builtin_row.h"

#define ARENA_MAX ((size_t)4 << 20) /* of one line, and of the manifest */
#define SLUG_MAX  255

/* One file being read. */
struct reader {
    const char *name; /* behind dir */
    size_t line;
    struct arena arena; /* of the current line */
    struct str slug;    /* of the previous row, in previous */
    char previous[SLUG_MAX];
};

struct loader {
    const char *dir;
    const struct builtin_sink *sink;
    struct builtin_error *error;
    struct builtin_counts counts;
    struct arena arena; /* of the manifest */
    const struct json *files;
};

static enum status fail(struct loader *loader, const struct reader *reader, enum status status,
                        const char *format, ...) PRINTF_LIKE(4, 5);

static enum status fail(struct loader *loader, const struct reader *reader, enum status status,
                        const char *format, ...)
{
    struct builtin_error *error = loader->error;
    va_list args;
    if (error == NULL)
        return status;
    snprintf(error->file, sizeof error->file, "%s/%s", loader->dir, reader->name);
    error->line = reader->line;
    va_start(args, format);
    vsnprintf(error->what, sizeof error->what, format, args);
    va_end(args);
    return status;
}

static enum status read_file(struct loader *loader, struct reader *reader, struct buf *text)
{
    char path[512];
    struct stat info;
    enum status status = ST_OK;
    int n = snprintf(path, sizeof path, "%s/%s", loader->dir, reader->name);
    if (n < 0 || (size_t)n >= sizeof path)
        return fail(loader, reader, ST_TOO_LARGE, "the path is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        status = status_from_errno(errno);
        return fail(loader, reader, status, "cannot be opened");
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        TRY_OUT(fail(loader, reader, ST_IO, "is no regular file"));
    if (info.st_size > (off_t)BUILTIN_FILE_MAX)
        TRY_OUT(fail(loader, reader, ST_TOO_LARGE, "is larger than %zu bytes", BUILTIN_FILE_MAX));
    buf_init(text, BUILTIN_FILE_MAX);
    if (buf_reserve(text, (size_t)info.st_size) != ST_OK)
        TRY_OUT(fail(loader, reader, ST_NO_MEMORY, "no memory"));
    while (text->n < (size_t)info.st_size) {
        ssize_t got = read(fd, text->p + text->n, (size_t)info.st_size - text->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            status = fail(loader, reader, ST_IO, "cannot be read");
            buf_free(text);
            goto out;
        }
        text->n += (size_t)got;
    }
out:
    close(fd);
    return status;
}

static enum status parse_line(struct loader *loader, struct reader *reader, struct str line,
                              struct json **node)
{
    struct json_error error = {0};
    if (line.n > BUILTIN_LINE_MAX)
        return fail(loader, reader, ST_BAD_FORMAT, "the line is longer than %zu bytes",
                    BUILTIN_LINE_MAX);
    enum status status = json_parse(&reader->arena, line, NULL, node, &error);
    if (status == ST_NO_MEMORY)
        return fail(loader, reader, status, "no memory");
    if (status != ST_OK)
        return fail(loader, reader, ST_BAD_FORMAT, "byte %zu: %s", error.at + 1,
                    error.what == NULL ? status_row(status)->text : error.what);
    if ((*node)->type != JSON_OBJECT)
        return fail(loader, reader, ST_BAD_FORMAT, "the line is no object");
    return ST_OK;
}

static enum status check_row(struct loader *loader, const struct reader *reader, enum status status,
                             const char *bad)
{
    if (status == ST_OK)
        return ST_OK;
    return fail(loader, reader, status, "field \"%s\" is missing or wrong", bad);
}

/* Rows are sorted and unique: `slug` must come after the one before. */
static enum status check_slug(struct loader *loader, struct reader *reader, const char *slug)
{
    struct str now = str_c(slug);
    if (now.n == 0 || now.n > SLUG_MAX)
        return fail(loader, reader, ST_BAD_FORMAT, "a slug has 1 to %d bytes", SLUG_MAX);
    if (reader->slug.n > 0 && str_cmp(now, reader->slug) <= 0)
        return fail(loader, reader, ST_BAD_FORMAT, "\"%.64s\" is not in order or stands twice",
                    slug);
    memcpy(reader->previous, now.p, now.n);
    reader->slug = str_of(reader->previous, now.n);
    return ST_OK;
}

/* Calls `row` for each line of a file that manifest.json lists, and compares their number. */
static enum status each_line(struct loader *loader, const char *name, struct str context,
                             enum status (*row)(struct loader *, struct reader *, struct str,
                                                struct json *))
{
    struct reader reader = {.name = name};
    struct buf text = {0};
    struct str rest, line;
    uint64_t rows = 0;
    const struct json *entry = json_get_str(loader->files, str_c(name));
    if (json_u64(json_get(entry, "rows"), &rows) != ST_OK)
        return fail(loader, &reader, ST_BAD_FORMAT, "is not in manifest.json");
    TRY(read_file(loader, &reader, &text));
    enum status status = ST_OK;
    rest = buf_str(&text);
    arena_init(&reader.arena, ARENA_MAX);
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        struct json *node;
        reader.line++;
        if (rest.p == NULL)
            TRY_OUT(
                fail(loader, &reader, ST_BAD_FORMAT, "the last line has no end: the file is cut"));
        TRY_OUT(parse_line(loader, &reader, line, &node));
        TRY_OUT(row(loader, &reader, context, node));
        arena_free(&reader.arena);
    }
    if (reader.line != rows) {
        size_t lines = reader.line;
        reader.line = 0;
        status = fail(loader, &reader, ST_BAD_FORMAT, "has %zu rows, manifest.json says %llu",
                      lines, (unsigned long long)rows);
    }
out:
    arena_free(&reader.arena);
    buf_free(&text);
    return status;
}

static enum status model_row(struct loader *loader, struct reader *reader, struct str provider_type,
                             struct json *node)
{
    Sluice__Model row;
    const char *bad = "";
    enum status status = builtin_row_model(&reader->arena, node, &row, &bad);
    TRY(check_row(loader, reader, status, bad));
    TRY(check_slug(loader, reader, row.slug));
    struct id parent = builtin_provider_type_id(provider_type);
    struct id id = builtin_model_id(provider_type, str_c(row.slug));
    row.id.data = id.b;
    row.id.len = ID_BYTES;
    loader->counts.models++;
    loader->counts.priced_models += row.n_prices > 0;
    status = loader->sink->model(loader->sink->arg, &parent, &id, &row);
    return status == ST_OK ? ST_OK : fail(loader, reader, status, "%s", status_row(status)->text);
}

static enum status provider_row(struct loader *loader, struct reader *reader, struct str unused,
                                struct json *node)
{
    Sluice__ProviderType row;
    const char *bad = "";
    char name[SLUG_MAX + 16];
    (void)unused;
    enum status status = builtin_row_provider(&reader->arena, node, &row, &bad);
    TRY(check_row(loader, reader, status, bad));
    TRY(check_slug(loader, reader, row.slug));
    struct str slug = str_c(row.slug);
    for (size_t i = 0; i < slug.n; i++) { /* it becomes a file name */
        char c = slug.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return fail(loader, reader, ST_BAD_FORMAT,
                        "the slug \"%.64s\" holds more than a-z 0-9 -", row.slug);
    }
    struct id id = builtin_provider_type_id(slug);
    row.id.data = id.b;
    row.id.len = ID_BYTES;
    loader->counts.provider_types++;
    status = loader->sink->provider_type(loader->sink->arg, &id, &row);
    if (status != ST_OK)
        return fail(loader, reader, status, "%s", status_row(status)->text);
    snprintf(name, sizeof name, "models/%s.jsonl", row.slug);
    if (json_get_str(loader->files, str_c(name)) == NULL)
        return ST_OK;
    return each_line(loader, name, slug, model_row);
}

static enum status read_manifest(struct loader *loader, struct buf *text)
{
    struct reader reader = {.name = "manifest.json"};
    struct json *root;
    uint64_t format = 0;
    TRY(read_file(loader, &reader, text));
    enum status status = json_parse(&loader->arena, buf_str(text), NULL, &root, NULL);
    if (status != ST_OK)
        return fail(loader, &reader, status == ST_NO_MEMORY ? status : ST_BAD_FORMAT, "is no JSON");
    if (json_u64(json_get(root, "format"), &format) != ST_OK || format != BUILTIN_FORMAT)
        return fail(loader, &reader, ST_BAD_FORMAT, "has another format than %d", BUILTIN_FORMAT);
    loader->files = json_get(root, "files");
    return ST_OK;
}

enum status builtin_load(const char *dir, const struct builtin_sink *sink,
                         struct builtin_counts *counts, struct builtin_error *error)
{
    struct loader loader = {.dir = dir, .sink = sink, .error = error};
    struct buf manifest = {0};
    arena_init(&loader.arena, ARENA_MAX);
    enum status status = read_manifest(&loader, &manifest);
    if (status == ST_OK)
        status = each_line(&loader, "providers.jsonl", STR_NONE, provider_row);
    if (status == ST_OK && counts != NULL)
        *counts = loader.counts;
    arena_free(&loader.arena);
    buf_free(&manifest);
    return status;
}

struct id builtin_provider_type_id(struct str slug)
{
    return id_named(STR("provider-type/"), slug);
}

struct id builtin_model_id(struct str provider_type, struct str slug)
{
    char domain[SLUG_MAX + 16];
    CHECK(provider_type.n <= SLUG_MAX);
    int n = snprintf(domain, sizeof domain, "model/" STR_FMT "/", STR_ARG(provider_type));
    return id_named(str_of(domain, (size_t)n), slug);
}
