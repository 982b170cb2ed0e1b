/* home.h: the control plane's data folder: what lies where, making it, and opening it.
 *
 *   data_dir/            0700
 *     store/             the LMDB store (store/kv.h)
 *     logs/              the request log's environment (logs/request_log.h)
 *     master.key         32 bytes, 0600; absent when parameter master_key says otherwise
 *     link/ca.pem  link/ca.key  link/server.pem  link/server.key      the link's own PKI
 *
 * Shared by sluice-control and sluicectl. Owner: home_open gives, home_close releases in reverse.
 * Only one process can have it open (store/kv.h). Failure: `why` gets one sentence for the
 * operator. One thread.
 */
#ifndef SLUICE_CONTROL_HOME_H
#define SLUICE_CONTROL_HOME_H

#include "common/params.h"
#include "common/pki.h"
#include "control-plane/store/writer.h"
#include "control-plane/vault/vault.h"

#define HOME_PATH_MAX 4096

struct home {
    struct kv *kv;
    struct writer *writer;
    struct vault *vault;
};

/* A path below data_dir. CHECKs that it fits. */
void home_path(const struct params *params, const char *name, char path[HOME_PATH_MAX]);

/* Makes what is missing: folder, store, master key, vault key, node group "default", the link's CA
 * and server certificate for `link_names` (further DNS names or addresses that nodes use). Leaves
 * what is there. ST_CONFLICT: the store is initialised. */
MUST_USE enum status home_init(const struct params *params, const char *const *link_names,
                               size_t name_count, struct buf *why);

/* Opens store, writer and vault of an initialised folder. ST_NOT_FOUND: never initialised;
 * ST_CONFLICT: another process has it; ST_BAD_SEAL: another master key. */
MUST_USE enum status home_open(const struct params *params, struct home *home, struct buf *why);
void home_close(struct home *home);

/* Reads one of the link's PEM files, NUL-terminated, into a secret (also certificates, for one way
 * of reading). ST_NOT_FOUND, ST_IO. */
MUST_USE enum status home_read_pem(const struct params *params, const char *name,
                                   struct secret **pem);

#endif
