/* api_files.c: files: upload (multipart, streamed to an unlinked file), list, get, delete, content.
 *
 * A file's bytes come back exactly, whatever their number, without ever being in memory as a whole.
 * A download holds a descriptor of its own, so deleting the file meanwhile does no harm.
 */
#include "tests/sim/api.h"
#include "tests/sim/list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES_PIECE_BYTES (64 << 10)
#define FILES_LIST_MAX    10000

static void file_write(struct call *call, struct json_writer *w, const struct object *file)
{
    (void)call;
    jw_object(w);
    jw_field_cstr(w, "object", "file");
    jw_field_str(w, "id", file->id);
    jw_field_str(w, "purpose", file->note);
    jw_field_str(w, "filename", file->name);
    jw_field_u64(w, "bytes", file->bytes);
    jw_field_i64(w, "created_at", file->created_s);
    jw_field_cstr(w, "expires_at", NULL);
    jw_field_cstr(w, "status", "processed");
    jw_field_cstr(w, "status_details", NULL);
    jw_end(w);
}

static bool file_purpose_is_known(struct str purpose)
{
    static const char *const known[] = {"assistants", "batch",     "fine-tune",
                                        "vision",     "user_data", "evals"};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_eq(purpose, str_c(known[i])))
            return true;
    }
    return false;
}

void api_files_create(struct call *call)
{
    struct form_part *part = form_file(call->req == NULL ? NULL : call->req->form, 0);
    struct str purpose = call_field(call, "purpose");
    struct json_writer w;
    if (part == NULL || part->fd < 0) {
        call_error(call, 400, NULL, "file", "'file' is a required property");
        return;
    }
    if (!file_purpose_is_known(purpose)) {
        call_error(call, 400, NULL, "purpose",
                   "'" STR_FMT "' is not one of ['fine-tune', 'assistants', 'batch', "
                   "'user_data', 'vision', 'evals'] - 'purpose'",
                   STR_ARG(str_head(purpose, 100)));
        return;
    }
    struct object *file =
        objects_add(&call->sim->objects, OBJECT_FILE, sim_make_id(call->arena, "file-"));
    if (file == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    object_set(&file->name, buf_str(&part->filename));
    object_set(&file->note, purpose);
    file->bytes = part->bytes;
    file->fd = part->fd;
    part->fd = -1;
    jw_init(&w, call->out);
    file_write(call, &w, file);
}

void api_files_list(struct call *call)
{
    list_write(call, OBJECT_FILE, call_query(call, "purpose"), FILES_LIST_MAX, FILES_LIST_MAX,
               file_write);
}

void api_files_get(struct call *call)
{
    const struct object *file = list_find(call, OBJECT_FILE, "File");
    struct json_writer w;
    jw_init(&w, call->out);
    if (file != NULL)
        file_write(call, &w, file);
}

void api_files_delete(struct call *call)
{
    struct object *file = list_find(call, OBJECT_FILE, "File");
    if (file == NULL)
        return;
    objects_remove(&call->sim->objects, file);
    list_write_deleted(call, "file");
}

struct file_source {
    struct source source; /* first */
    int fd;
    uint64_t at, end;
};

static enum source_step file_fill(struct source *source, struct buf *out, int64_t *wait_ms)
{
    struct file_source *file = (struct file_source *)(void *)source;
    (void)wait_ms;
    if (file->at == file->end)
        return SOURCE_END;
    uint64_t left = file->end - file->at;
    size_t n = left < FILES_PIECE_BYTES ? (size_t)left : FILES_PIECE_BYTES;
    if (buf_reserve(out, n) != ST_OK)
        return SOURCE_RESET;
    ssize_t got = pread(file->fd, out->p + out->n, n, (off_t)file->at);
    if (got <= 0)
        return SOURCE_RESET;
    out->n += (size_t)got;
    file->at += (uint64_t)got;
    return SOURCE_MORE;
}

static void file_release(struct source *source)
{
    close(((struct file_source *)(void *)source)->fd);
}

void api_files_content(struct call *call)
{
    const struct object *file = list_find(call, OBJECT_FILE, "File");
    if (file == NULL)
        return;
    struct file_source *source = arena_calloc(call->keep, 1, sizeof *source);
    int fd = source == NULL ? -1 : fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        call_error(call, 500, NULL, NULL, "out of descriptors");
        return;
    }
    *source = (struct file_source){
        .source = {.fill = file_fill, .release = file_release}, .fd = fd, .end = file->bytes};
    call->source = &source->source;
    call->length = (int64_t)file->bytes;
    call->content_type = "application/octet-stream";
}
