/* builtin.h: the built-in catalog (control-plane/catalog-data) as messages of proto/catalog.proto.
 *
 * Reads providers.jsonl and models/<slug>.jsonl of a folder, one object a line, and hands each row
 * to the caller as ProviderType and Model. Fields that the messages have no place for come as one
 * JSON object in data_json. Rows are checked (units of prices, operations, shapes); the first bad
 * one ends the load and is named by file and line.
 *
 * Messages live for the call only. One thread; blocking file reads: for start and `init`, never
 * for the writer thread. Limits: BUILTIN_FILE_MAX bytes a file, BUILTIN_LINE_MAX a line.
 */
#ifndef SLUICE_CONTROL_DOMAIN_BUILTIN_H
#define SLUICE_CONTROL_DOMAIN_BUILTIN_H

#include "common/id.h"
#include "proto/catalog.pb-c.h"

#define BUILTIN_FORMAT   1 /* of manifest.json that this version reads */
#define BUILTIN_FILE_MAX ((size_t)8 << 20)
#define BUILTIN_LINE_MAX ((size_t)64 << 10)

struct builtin_sink {
    void *arg;
    /* Each borrows its message for the call. Anything but ST_OK ends the load and is returned. */
    enum status (*provider_type)(void *arg, const struct id *id, const Sluice__ProviderType *row);
    /* Models follow their provider. */
    enum status (*model)(void *arg, const struct id *provider_type, const struct id *id,
                         const Sluice__Model *row);
};

struct builtin_error {
    char file[300];
    size_t line; /* from 1; 0: the file as a whole */
    char what[160];
};

struct builtin_counts {
    size_t provider_types, models, priced_models;
};

/* Loads everything in `dir`. `error` is filled on failure, `counts` on success; both may be NULL.
 * ST_NOT_FOUND (no such file), ST_IO, ST_TOO_LARGE, ST_BAD_FORMAT (a row, a wrong count of rows,
 * another format), ST_NO_MEMORY, or what a callback returned. */
MUST_USE enum status builtin_load(const char *dir, const struct builtin_sink *sink,
                                  struct builtin_counts *counts, struct builtin_error *error);

/* Ids of built-in rows, the same on every installation. */
struct id builtin_provider_type_id(struct str slug);
struct id builtin_model_id(struct str provider_type, struct str slug);

#endif
