/* session.c: see session.h.
 *
 * Invariant: nothing leads to ST_OK without a stored hash that the whole ticket has, a time that is
 * not over, and a user who is there and active now. Roles are not kept in the session: they are
 * read from the user each time, so a demotion counts at once.
 */
#include "control-plane/auth/session.h"

#include "common/wire.h"

struct str session_cookie(struct str cookie)
{
    struct str pair, name;
    while (str_split(&cookie, ';', &pair)) {
        pair = str_trim(pair);
        if (str_split(&pair, '=', &name) && str_eq(name, STR(SESSION_COOKIE)))
            return pair;
    }
    return STR_NONE;
}

enum status session_read_cookie(struct str cookie, struct ticket *ticket)
{
    return ticket_from_text(TICKET_SESSION, session_cookie(cookie), ticket);
}

enum status session_find(struct kv_txn *txn, struct arena *arena, const struct ticket *ticket,
                         int64_t now_ms, Sluice__Session **session, Sluice__User **user)
{
    struct record_key key = {SLUICE__KIND__KIND_SESSION, ticket->org, ticket->subject,
                             ticket->item};
    struct record_key user_key = {SLUICE__KIND__KIND_USER, ticket->org, ID_NONE, ticket->subject};
    enum status status = record_get(txn, &key, arena, session, NULL);
    if (status == ST_OK &&
        (!ticket_fits(ticket, wire_str(&(*session)->hash)) || (*session)->expires_at_ms <= now_ms))
        status = ST_NOT_FOUND;
    if (status == ST_OK)
        status = record_get(txn, &user_key, arena, user, NULL);
    if (status == ST_OK && (*user)->status != SLUICE__STATUS__STATUS_ACTIVE)
        status = ST_NOT_FOUND;
    return status == ST_NOT_FOUND ? ST_UNAUTHORIZED : status;
}

/* Removes the oldest until there is room for one more. Ids are in order of creation. */
static enum status make_room(struct write_op *op, const struct session_order *order)
{
    struct record_cursor *cursor = NULL;
    struct record_key keys[SESSION_PER_USER_MAX + 1];
    size_t count = 0;
    TRY(record_cursor_open(op->txn, SLUICE__KIND__KIND_SESSION, &order->org, &order->user,
                           &cursor));
    enum status status = ST_OK;
    while (status == ST_OK && count < COUNT_OF(keys)) {
        status = record_cursor_next(cursor, op->arena, &keys[count], NULL, NULL);
        count += status == ST_OK;
    }
    record_cursor_close(cursor);
    if (status != ST_OK && status != ST_END)
        return status;
    for (size_t i = 0; i < count && count - i >= SESSION_PER_USER_MAX; i++)
        TRY(record_delete(op, &keys[i]));
    return ST_OK;
}

/* A header's text as a record keeps it. */
static char *agent_text(struct arena *arena, struct str agent)
{
    agent = str_head(agent, SESSION_AGENT_MAX);
    return arena_cstr(arena, str_is_utf8(agent) ? agent : STR("?"));
}

enum status session_make(struct write_op *op, const struct session_order *order,
                         struct ticket *ticket, int64_t *expires_at_ms)
{
    Sluice__Session record = SLUICE__SESSION__INIT;
    uint8_t hash[TICKET_HASH_BYTES];
    struct id id = id_new();
    struct record_key key = {SLUICE__KIND__KIND_SESSION, order->org, order->user, id};
    TRY(make_room(op, order));
    ticket_make(TICKET_SESSION, &order->org, &order->user, &id, ticket);
    ticket_hash(ticket, hash);
    record.id = wire_id_data(&id);
    record.user = wire_id_data(&order->user);
    record.hash = wire_data(str_of((const char *)hash, sizeof(hash)));
    record.created_at_ms = op->now_ms;
    record.expires_at_ms = op->now_ms + order->ttl_ms;
    record.client_ip = arena_cstr(op->arena, order->client_ip);
    record.user_agent = agent_text(op->arena, order->user_agent);
    if (record.client_ip == NULL || record.user_agent == NULL)
        return ST_NO_MEMORY;
    TRY(record_put(op, &key, &record, STR_NONE));
    *expires_at_ms = record.expires_at_ms;
    return ST_OK;
}

enum status session_end_all(struct write_op *op, const struct id *org, const struct id *user,
                            const struct id *keep)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    TRY(record_cursor_open(op->txn, SLUICE__KIND__KIND_SESSION, org, user, &cursor));
    enum status status = ST_OK;
    while (status == ST_OK) {
        status = record_cursor_next(cursor, op->arena, &key, NULL, NULL);
        if (status == ST_OK && (keep == NULL || !id_eq(&key.id, keep)))
            status = record_delete(op, &key);
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status session_purge(struct write_op *op, struct record_key *last, bool *left)
{
    struct record_cursor *cursor = NULL;
    Sluice__Session *session;
    enum status status = ST_OK;
    op->no_revision = true;
    TRY(record_cursor_open_org(op->txn, SLUICE__KIND__KIND_SESSION, NULL, &cursor));
    if (!id_is_none(&last->id))
        record_cursor_after_key(cursor, last);
    for (size_t i = 0; status == ST_OK && i < SESSION_PURGE_PER_STEP; i++) {
        status = record_cursor_next(cursor, op->arena, last, &session, NULL);
        if (status == ST_OK && session->expires_at_ms <= op->now_ms)
            status = record_delete(op, last);
    }
    record_cursor_close(cursor);
    *left = status == ST_OK;
    return status == ST_END ? ST_OK : status;
}
