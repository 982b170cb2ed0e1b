/* gcs.c: Google Cloud Storage, as far as files for batch jobs need it: the JSON API's upload,
 * download, list and delete, and put and get by path for hosts of that name.
 *
 * A blob's id is "bucket/key"; all tokens see all blobs.
 */
#include "tests/sim/blob.h"
#include "tests/sim/google/google.h"

static bool gcs_is_meant(const struct request *req)
{
    return str_find(request_header(req, "host"), STR("storage.googleapis")) >= 0;
}

static void gcs_write(struct json_writer *w, const struct object *blob)
{
    ptrdiff_t slash = str_find_char(blob->id, '/');
    char size[24];
    (void)snprintf(size, sizeof size, "%zu", blob->text.n);
    jw_object(w);
    jw_field_cstr(w, "kind", "storage#object");
    jw_field_str(w, "id", blob->id);
    jw_field_str(w, "bucket", str_head(blob->id, (size_t)slash));
    jw_field_str(w, "name", str_from(blob->id, (size_t)slash + 1));
    jw_field_cstr(w, "size", size);
    jw_field_str(w, "contentType", blob->note);
    jw_field_time(w, "timeCreated", blob->created_s * 1000);
    jw_end(w);
}

/* The bucket of ".../b/BUCKET/o...", decoded. */
static struct str gcs_bucket(struct call *call)
{
    struct str path = call->req->path;
    ptrdiff_t at = str_find(path, STR("/b/"));
    struct str rest = at < 0 ? STR("") : str_from(path, (size_t)at + 3), bucket = STR("");
    (void)str_split(&rest, '/', &bucket);
    return request_decode(call->req, bucket);
}

static struct str gcs_id(struct call *call, struct str bucket, struct str name)
{
    return arena_printf(call->arena, STR_FMT "/" STR_FMT, STR_ARG(bucket), STR_ARG(name));
}

static void gcs_store(struct call *call, struct str id)
{
    struct json_writer w;
    struct object *blob = blob_put(call->sim, OBJECT_GCS, id, buf_str(&call->req->body));
    if (blob == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    object_set(&blob->note, request_header(call->req, "content-type"));
    jw_init(&w, call->out);
    gcs_write(&w, blob);
}

void gcs_upload(struct call *call)
{
    struct str name = call_query(call, "name");
    if (name.n == 0 || !str_eq(call_query(call, "uploadType"), STR("media"))) {
        (void)google_refuse(call, "uploadType=media and name are required.");
        return;
    }
    gcs_store(call, gcs_id(call, gcs_bucket(call), name));
}

static void gcs_read(struct call *call, struct str id, bool media)
{
    struct object *blob = blob_find(call->sim, OBJECT_GCS, id);
    struct json_writer w;
    if (blob == NULL) {
        call_error(call, 404, NULL, NULL, "No such object: " STR_FMT, STR_ARG(str_head(id, 300)));
        return;
    }
    if (media) {
        call->content_type = arena_cstr(
            call->keep, blob->note.n == 0 ? STR("application/octet-stream") : blob->note);
        buf_add_str(call->out, blob->text);
        return;
    }
    jw_init(&w, call->out);
    gcs_write(&w, blob);
}

void gcs_get(struct call *call)
{
    gcs_read(call, gcs_id(call, gcs_bucket(call), call->id),
             str_eq(call_query(call, "alt"), STR("media")));
}

void gcs_list(struct call *call)
{
    struct str prefix = call_query(call, "prefix");
    struct str begin = gcs_id(call, gcs_bucket(call), prefix.p == NULL ? STR("") : prefix);
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "kind", "storage#objects");
    jw_key(&w, "items");
    jw_array(&w);
    for (struct object *o = call->sim->objects.oldest[OBJECT_GCS]; o != NULL; o = o->newer) {
        if (str_starts(o->id, begin) && blob_find(call->sim, OBJECT_GCS, o->id) != NULL)
            gcs_write(&w, o);
    }
    jw_end(&w);
    jw_end(&w);
}

void gcs_delete(struct call *call)
{
    struct object *blob =
        blob_find(call->sim, OBJECT_GCS, gcs_id(call, gcs_bucket(call), call->id));
    if (blob == NULL) {
        call_error(call, 404, NULL, NULL, "No such object.");
        return;
    }
    objects_remove(&call->sim->objects, blob);
    call->status = 204;
}

void gcs_put_path(struct call *call)
{
    gcs_store(call, request_decode(call->req, str_from(call->req->path, 1)));
}

void gcs_get_path(struct call *call)
{
    gcs_read(call, request_decode(call->req, str_from(call->req->path, 1)), true);
}

static const struct route gcs_routes[] = {
    {"POST", "upload/storage/v1/b/*/o", gcs_upload, ROUTE_RAW},
    {"GET", "storage/v1/b/*/o", gcs_list, 0},
    {"GET", "storage/v1/b/*/o/*", gcs_get, 0},
    {"DELETE", "storage/v1/b/*/o/*", gcs_delete, 0},
    {"PUT", "**", gcs_put_path, ROUTE_SHARED},
    {"GET", "**", gcs_get_path, ROUTE_SHARED},
    {"HEAD", "**", gcs_get_path, ROUTE_SHARED},
};

const struct family family_gcs = {
    .name = "gcs",
    .content_type = "application/json; charset=UTF-8",
    .routes = gcs_routes,
    .route_count = COUNT_OF(gcs_routes),
    .is_meant = gcs_is_meant,
    .admit = google_admit_token,
    .head = google_head,
    .error = google_error,
};
