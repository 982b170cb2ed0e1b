/* cmd_audit.c: proving the chain of audit records, in short read transactions beside the admin API. */
#include "control-plane/audit/audit.h"
#include "control-plane/cli/cli.h"

#define AUDITS_PER_STEP 1000

enum status cmd_audit_verify(struct cli_call *call)
{
    struct audit_check check = {0};
    struct json_writer *w = &call->json;
    while (!check.done) {
        struct kv_txn *txn;
        TRY(kv_begin(call->home->kv, false, &txn));
        enum status status = audit_check_step(txn, AUDITS_PER_STEP, &check);
        kv_abort(txn);
        TRY(status);
    }
    jw_object(w);
    jw_field_u64(w, "audit_records", check.count);
    jw_field_bool(w, "audit_intact", check.intact);
    if (!check.intact)
        jw_field_u64(w, "audit_bad_revision", check.bad_revision);
    jw_end(w);
    if (check.intact)
        return ST_OK;
    return cli_fail(call, ST_CONFLICT, "the chain of audit records is broken at revision %llu",
                    (unsigned long long)check.bad_revision);
}
