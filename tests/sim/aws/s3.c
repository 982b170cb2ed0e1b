/* s3.c: Amazon S3, as far as files for batch jobs need it: put, get, head, delete, attributes,
 * list, and uploads in parts.
 *
 * The bucket is the first segment of the path, or the beginning of a host
 * bucket.s3.region.amazonaws.com. Whatever is signed for s3 comes here. An object's id is
 * "bucket/key"; all keys see all objects.
 */
#include "tests/sim/aws/aws.h"
#include "tests/sim/aws/sigv4.h"
#include "tests/sim/blob.h"

#include "common/clock.h"

#include <stdio.h>

#define S3_PARTS_MAX 10000
#define S3_BYTES_MAX (512 << 20)

static bool s3_is_meant(const struct request *req)
{
    return sigv4_is_for(req, "/s3/");
}

static bool s3_admit(struct request *req)
{
    return sigv4_admit(req, "s3");
}

/* The services of AWS have different words for the same. */
static const char *s3_code(int status, const char *code)
{
    static const struct {
        const char *common, *own;
    } codes[] = {{"InvalidSignatureException", "SignatureDoesNotMatch"},
                 {"UnrecognizedClientException", "InvalidAccessKeyId"},
                 {"ExpiredTokenException", "ExpiredToken"},
                 {"MissingAuthenticationTokenException", "AccessDenied"},
                 {"ResourceNotFoundException", "NoSuchKey"},
                 {"ThrottlingException", "SlowDown"},
                 {"InternalServerException", "InternalError"},
                 {"ServiceUnavailableException", "ServiceUnavailable"},
                 {"UnknownOperationException", "MethodNotAllowed"}};
    code = code == NULL ? aws_error_code(status) : code;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (strcmp(codes[i].common, code) == 0)
            return codes[i].own;
    }
    return code;
}

static void s3_error(struct buf *out, const struct failure *failure)
{
    buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>",
               s3_code(failure->status, failure->code));
    aws_add_xml(out,
                failure->message.p == NULL ? aws_error_message(failure->status) : failure->message);
    buf_add_lit(out, "</Message><Resource>");
    aws_add_xml(out, failure->req->path);
    buf_printf(out, "</Resource><RequestId>" STR_FMT "</RequestId></Error>",
               STR_ARG(request_reply_id(failure->req)));
}

static void s3_head(struct request *req, struct buf *out)
{
    buf_printf(out, "x-amz-request-id: " STR_FMT "\r\nx-amz-id-2: sim\r\nserver: AmazonS3\r\n",
               STR_ARG(request_reply_id(req)));
}

/* "bucket/key" of the request; without the slash it is a bucket. */
static struct str s3_id(struct call *call)
{
    struct request *req = call->req;
    struct str host = request_header(req, "host"),
               path = request_decode(req, str_from(req->path, 1));
    ptrdiff_t at = str_find(host, STR(".s3"));
    if (at <= 0)
        return path;
    return arena_printf(call->arena, STR_FMT "/" STR_FMT, STR_ARG(str_head(host, (size_t)at)),
                        STR_ARG(path));
}

/* "md5-of-the-content", with the quotes. */
static void s3_etag(struct str content, char text[40])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = sizeof hash;
    CHECK(EVP_Digest(content.p, content.n, hash, &n, EVP_md5(), NULL) == 1);
    text[0] = '"';
    for (size_t i = 0; i < 16; i++) {
        text[1 + 2 * i] = "0123456789abcdef"[hash[i] >> 4];
        text[2 + 2 * i] = "0123456789abcdef"[hash[i] & 15];
    }
    text[33] = '"';
    text[34] = '\0';
}

static void s3_no_key(struct call *call)
{
    call_error(call, 404, "NoSuchKey", NULL, "The specified key does not exist.");
}

static void s3_get(struct call *call)
{
    struct object *object = blob_find(call->sim, OBJECT_S3, s3_id(call));
    char etag[40];
    if (object == NULL) {
        s3_no_key(call);
        return;
    }
    s3_etag(object->text, etag);
    buf_printf(&call->req->extra_head, "etag: %s\r\naccept-ranges: bytes\r\n", etag);
    call->content_type =
        arena_cstr(call->keep, object->note.n == 0 ? STR("binary/octet-stream") : object->note);
    buf_add_str(call->out, object->text);
}

static void s3_attributes(struct call *call)
{
    struct object *object = blob_find(call->sim, OBJECT_S3, s3_id(call));
    char etag[40];
    if (request_header(call->req, "x-amz-object-attributes").n == 0) {
        call_error(call, 400, "InvalidRequest", NULL,
                   "The x-amz-object-attributes header specifying the attributes to be retrieved "
                   "is either missing or empty");
        return;
    }
    if (object == NULL) {
        s3_no_key(call);
        return;
    }
    s3_etag(object->text, etag);
    buf_printf(call->out,
               "<GetObjectAttributesResponse><ETag>%.32s</ETag><ObjectSize>%zu</ObjectSize>"
               "<StorageClass>STANDARD</StorageClass></GetObjectAttributesResponse>",
               etag + 1, object->text.n);
}

static void s3_list(struct call *call, struct str bucket)
{
    struct str prefix = call_query(call, "prefix");
    struct str begin = arena_printf(call->arena, STR_FMT "/" STR_FMT, STR_ARG(bucket),
                                    STR_ARG(prefix.p == NULL ? STR("") : prefix));
    unsigned count = 0;
    char etag[40];
    buf_add_lit(call->out, "<ListBucketResult><Name>");
    aws_add_xml(call->out, bucket);
    buf_add_lit(call->out, "</Name><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>");
    for (struct object *o = call->sim->objects.oldest[OBJECT_S3]; o != NULL && count < 1000;
         o = o->newer) {
        if (!str_starts(o->id, begin) || o->shown_ms > clock_mono_ms())
            continue;
        s3_etag(o->text, etag);
        buf_add_lit(call->out, "<Contents><Key>");
        aws_add_xml(call->out, str_from(o->id, bucket.n + 1));
        buf_printf(call->out,
                   "</Key><LastModified>" STR_FMT
                   "</LastModified><ETag>%.32s</ETag><Size>%zu</Size>"
                   "<StorageClass>STANDARD</StorageClass></Contents>",
                   STR_ARG(aws_time(call->arena, o->created_s)), etag + 1, o->text.n);
        count++;
    }
    buf_printf(call->out, "<KeyCount>%u</KeyCount></ListBucketResult>", count);
}

static void s3_read(struct call *call)
{
    struct str id = s3_id(call);
    ptrdiff_t slash = str_find_char(id, '/');
    if (slash < 0 || (size_t)slash == id.n - 1)
        s3_list(call, slash < 0 ? id : str_head(id, (size_t)slash));
    else if (call_query(call, "attributes").p != NULL)
        s3_attributes(call);
    else
        s3_get(call);
}

static struct str s3_part_id(struct call *call, struct str upload, uint64_t number)
{
    return arena_printf(call->arena, STR_FMT "/%llu", STR_ARG(upload), (unsigned long long)number);
}

static void s3_write(struct call *call)
{
    struct str id = s3_id(call), upload = call_query(call, "uploadId");
    struct str type = request_header(call->req, "content-type");
    uint64_t number = 0;
    char etag[40];
    ptrdiff_t slash = str_find_char(id, '/');
    if (slash < 0 || (size_t)slash == id.n - 1)
        return; /* a bucket: there is any */
    if (upload.p != NULL && (str_to_u64(call_query(call, "partNumber"), &number) != ST_OK ||
                             number == 0 || number > S3_PARTS_MAX)) {
        call_error(call, 400, "InvalidArgument", NULL, "Part number must be from 1 to 10000");
        return;
    }
    struct object *object =
        upload.p != NULL ? blob_put(call->sim, OBJECT_S3_PART, s3_part_id(call, upload, number),
                                    buf_str(&call->req->body))
                         : blob_put(call->sim, OBJECT_S3, id, buf_str(&call->req->body));
    if (object == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    object_set(&object->note, type);
    s3_etag(object->text, etag);
    buf_printf(&call->req->extra_head, "etag: %s\r\n", etag);
}

/* Joins the parts in the order of their numbers. */
static void s3_complete(struct call *call, struct str id, struct str upload)
{
    struct buf content;
    char etag[40];
    buf_init(&content, S3_BYTES_MAX);
    for (uint64_t number = 1; number <= S3_PARTS_MAX; number++) {
        struct object *part =
            objects_find(&call->sim->objects, OBJECT_S3_PART, s3_part_id(call, upload, number));
        if (part == NULL)
            continue;
        buf_add_str(&content, part->text);
        objects_remove(&call->sim->objects, part);
    }
    if (content.n == 0 || buf_status(&content) != ST_OK ||
        blob_put(call->sim, OBJECT_S3, id, buf_str(&content)) == NULL) {
        call_error(call, 404, "NoSuchUpload", NULL,
                   "The specified multipart upload does not exist.");
        buf_free(&content);
        return;
    }
    s3_etag(buf_str(&content), etag);
    buf_free(&content);
    buf_printf(call->out, "<CompleteMultipartUploadResult><ETag>%.32s-1</ETag><Key>", etag + 1);
    aws_add_xml(call->out, str_from(id, (size_t)str_find_char(id, '/') + 1));
    buf_add_lit(call->out, "</Key></CompleteMultipartUploadResult>");
}

static void s3_post(struct call *call)
{
    struct str id = s3_id(call), upload = call_query(call, "uploadId");
    if (str_find_char(id, '/') < 0) {
        call_error(call, 405, NULL, NULL, "The method is not allowed against this resource.");
    } else if (upload.p != NULL) {
        s3_complete(call, id, upload);
    } else if (call_query(call, "uploads").p != NULL) {
        buf_printf(call->out,
                   "<InitiateMultipartUploadResult><UploadId>" STR_FMT
                   "</UploadId></InitiateMultipartUploadResult>",
                   STR_ARG(sim_make_id(call->arena, "upload-")));
    } else {
        call_error(call, 405, NULL, NULL, "The method is not allowed against this resource.");
    }
}

static void s3_delete(struct call *call)
{
    struct object *object = blob_find(call->sim, OBJECT_S3, s3_id(call));
    if (object != NULL)
        objects_remove(&call->sim->objects, object);
    call->status = 204;
}

static const struct route s3_routes[] = {
    {"GET", "**", s3_read, ROUTE_SHARED},      {"HEAD", "**", s3_get, ROUTE_SHARED},
    {"PUT", "**", s3_write, ROUTE_SHARED},     {"POST", "**", s3_post, ROUTE_SHARED | ROUTE_RAW},
    {"DELETE", "**", s3_delete, ROUTE_SHARED},
};

const struct family family_s3 = {
    .name = "s3",
    .content_type = "application/xml",
    .routes = s3_routes,
    .route_count = COUNT_OF(s3_routes),
    .is_meant = s3_is_meant,
    .admit = s3_admit,
    .head = s3_head,
    .error = s3_error,
};
