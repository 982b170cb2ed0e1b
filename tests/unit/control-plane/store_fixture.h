/* store_fixture.h: a store in a temporary folder, for the unit tests of the control plane. */
#ifndef SLUICE_TEST_STORE_FIXTURE_H
#define SLUICE_TEST_STORE_FIXTURE_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/wire.h"
#include "control-plane/audit/audit.h"
#include "control-plane/store/writer.h"

#define OK(expr)          cr_assert_eq((expr), ST_OK, "%s", #expr)
#define IS(expr, wanted)  cr_assert_eq((expr), (wanted), "%s is not %s", #expr, #wanted)
#define FIXTURE_MAP_BYTES ((uint64_t)256 << 20)

struct fixture {
    char path[64];
    struct kv *kv;
    struct writer *writer;
    struct arena arena;
};

static inline void fixture_folder(char path[64])
{
    snprintf(path, 64, "/tmp/sluice-store-XXXXXX");
    cr_assert_not_null(mkdtemp(path));
}

static inline void fixture_remove(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char name[512];
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

static inline void fixture_reopen(struct fixture *f, uint64_t map_bytes)
{
    OK(kv_open(f->path, &(struct kv_options){.map_bytes = map_bytes}, &f->kv));
    OK(writer_start(f->kv, &f->writer));
}

static inline void fixture_open_map(struct fixture *f, uint64_t map_bytes)
{
    *f = (struct fixture){0};
    arena_init(&f->arena, (size_t)256 << 20);
    fixture_folder(f->path);
    fixture_reopen(f, map_bytes);
}

static inline void fixture_open(struct fixture *f)
{
    fixture_open_map(f, FIXTURE_MAP_BYTES);
}

static inline void fixture_shut(struct fixture *f)
{
    writer_stop(f->writer);
    kv_close(f->kv);
    f->writer = NULL;
    f->kv = NULL;
}

static inline void fixture_close(struct fixture *f)
{
    fixture_shut(f);
    arena_free(&f->arena);
    fixture_remove(f->path);
}

static inline struct kv_txn *fixture_read(struct fixture *f)
{
    struct kv_txn *txn;
    OK(kv_begin(f->kv, false, &txn));
    return txn;
}

/* An id that is all the same byte: readable in a debugger, stable in a table. */
static inline struct id test_id(uint8_t byte)
{
    struct id id;
    memset(id.b, byte, sizeof id.b);
    return id;
}

static inline struct write_audit test_audit(const char *action)
{
    return (struct write_audit){.action = action, .resource_type = "workspace"};
}

/* Runs `fn` with an audit record added: what most tests want. */
struct fixture_call {
    write_fn fn;
    void *arg;
};

static inline enum status fixture_call(struct write_op *op, void *arg)
{
    struct fixture_call *call = arg;
    struct write_audit audit = test_audit("test");
    writer_audit(op, &audit);
    return call->fn(op, call->arg);
}

static inline enum status fixture_write(struct fixture *f, write_fn fn, void *arg,
                                        uint64_t *revision)
{
    struct fixture_call call = {fn, arg};
    return writer_run(f->writer, NULL, &f->arena, fixture_call, &call, revision);
}

#endif
