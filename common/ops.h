/* ops.h: the operations of ops.def as an enum, and how a request line becomes one. Pure. */
#ifndef SLUICE_COMMON_OPS_H
#define SLUICE_COMMON_OPS_H

#include "common/str.h"

enum op {
#define OP(name, text, method, path, body) OP_##name,
#include "common/ops.def"
#undef OP
    OP_COUNT
};

enum op_method { OP_METHOD_GET, OP_METHOD_POST, OP_METHOD_DELETE, OP_METHOD_PUT, OP_METHOD_PATCH, OP_METHOD_ANY };
enum op_body { OP_BODY_NONE, OP_BODY_JSON, OP_BODY_MULTIPART, OP_BODY_ANY };

struct op_row {
    const char *text;
    enum op_method method;
    const char *path;
    enum op_body body;
};

const struct op_row *op_row(enum op op);

/* Finds the operation of a method and a path behind /v1 (no query). `id` is the raw {id} segment, or empty.
 * OP_PASSTHROUGH is never found here: the caller decides on it. ST_NO_ROUTE: no such path. ST_METHOD: the path exists
 * with other methods. */
MUST_USE enum status op_match(enum op_method method, struct str path, enum op *op, struct str *id);

/* By stable name. ST_NOT_FOUND. */
MUST_USE enum status op_from_text(struct str text, enum op *op);

#endif
