/* objects.h: what lives at the provider: files, batches, stored responses, fine-tuning jobs.
 *
 * Owner: struct sim. Objects are shared by all keys on purpose: keeping tenants apart is the
 * gateway's task, and a gateway that does not is found out. At most OBJECTS_MAX per kind; the
 * oldest goes first. Texts are copies.
 */
#ifndef SLUICE_TESTS_SIM_OBJECTS_H
#define SLUICE_TESTS_SIM_OBJECTS_H

#include "common/str.h"

#define OBJECTS_MAX 4096

enum object_kind {
    OBJECT_FILE,
    OBJECT_BATCH,
    OBJECT_RESPONSE,
    OBJECT_JOB,
    OBJECT_S3,         /* id: bucket/key */
    OBJECT_S3_PART,    /* id: upload/number */
    OBJECT_AWS_BATCH,  /* a model invocation job */
    OBJECT_AWS_TUNING, /* a model customization job */
    OBJECT_GCS,        /* id: bucket/key */
    OBJECT_VERTEX_BATCH,
    OBJECT_VERTEX_TUNING,
    OBJECT_KINDS
};

struct object {
    struct object *older, *newer;
    enum object_kind kind;
    struct str id;
    int64_t created_s, born_ms; /* unix; monotonic */
    int64_t shown_ms;           /* monotonic; it does not exist for callers before */
    bool cancelled;
    struct str name;  /* file: name. job: the fine-tuned model. batch: output file id */
    struct str note;  /* file: purpose. job: base model. batch: error file id */
    struct str text;  /* what it was made from, or what it is, as JSON */
    struct str items; /* response: input items as a JSON array */
    int fd;           /* file: content, else -1 */
    uint64_t bytes;   /* file: length. batch: rows */
    uint64_t failed;  /* batch: rows that failed */
};

struct objects {
    struct object *newest[OBJECT_KINDS], *oldest[OBJECT_KINDS];
    uint64_t count[OBJECT_KINDS];
};

/* gives a new object that the store owns. NULL: no memory. */
struct object *objects_add(struct objects *objects, enum object_kind kind, struct str id);
/* The object, or NULL. */
struct object *objects_find(const struct objects *objects, enum object_kind kind, struct str id);
void objects_remove(struct objects *objects, struct object *object);
void objects_reset(struct objects *objects);
/* copies `text` into a member of an object, releasing what was there. */
void object_set(struct str *member, struct str text);

#endif
