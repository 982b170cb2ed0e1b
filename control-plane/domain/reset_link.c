/* reset_link.c: see reset_link.h. Only the ticket's hash is stored, so a copy of the store opens no
 * account. */
#include "control-plane/domain/reset_link.h"

#include "common/wire.h"

enum status reset_link_make(struct write_op *op, const struct record_key *key, Sluice__User *user,
                            struct ticket *ticket, int64_t *until_ms)
{
    uint8_t hash[TICKET_HASH_BYTES];
    ticket_make(TICKET_RESET, &key->org, &key->id, &ID_NONE, ticket);
    ticket_hash(ticket, hash);
    user->reset_hash = wire_data(str_of((const char *)hash, sizeof(hash)));
    user->reset_until_ms = op->now_ms + RESET_LINK_MS;
    *until_ms = user->reset_until_ms;
    enum status status = record_update(op, key, user);
    user->reset_hash = wire_data(STR_NONE);
    return status;
}

bool reset_link_fits(const Sluice__User *user, const struct ticket *ticket, int64_t now_ms)
{
    return user->status == SLUICE__STATUS__STATUS_ACTIVE && now_ms < user->reset_until_ms &&
           ticket_fits(ticket, wire_str(&user->reset_hash));
}
