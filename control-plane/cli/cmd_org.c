/* cmd_org.c: organisations and admins, before anybody has a key. A password is hashed where it was read; the store's side
 * never sees it. One that is made here is shown once, with the reply.
 */
#include <sodium.h>
#include <stdio.h>

#include "control-plane/auth/password.h"
#include "control-plane/auth/roles.h"
#include "control-plane/cli/cli.h"
#include "control-plane/domain/bootstrap.h"
#include "control-plane/domain/email.h"
#include "control-plane/domain/reset_link.h"

#define PASSWORD_BYTES 18 /* 24 characters */

/* First line of the file that is not empty of it; gives it in the arena. */
static enum status read_password(struct cli_call *call, const char *path, struct str *password)
{
    struct secret *file = NULL;
    enum status status = secret_read_file(path, 0, &file);
    if (status != ST_OK)
        return cli_fail(call, status, "cannot read %s (it must be yours alone, mode 0600)", path);
    struct str text = secret_open(file), line;
    if (!str_split(&text, '\n', &line))
        line = STR_NONE;
    *password = arena_str(&call->arena, str_trim(line));
    secret_close(file);
    secret_free(file);
    return password->p == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status make_password(struct cli_call *call, struct str *password)
{
    uint8_t random[PASSWORD_BYTES];
    char text[sodium_base64_ENCODED_LEN(PASSWORD_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2base64(text, sizeof(text), random, sizeof(random), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    *password = arena_str(&call->arena, str_c(text));
    secret_wipe(random, sizeof(random));
    secret_wipe(text, sizeof(text));
    return password->p == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status cmd_password_prepare(struct cli_call *call)
{
    struct str file = call->options[CLI_PASSWORD_FILE], password;
    call->options[CLI_PASSWORD_FILE] = STR_NONE;
    bool wanted = call->options[CLI_ADMIN_EMAIL].n > 0 || str_find_char(call->operand, '@') > 0;
    if (!wanted || call->options[CLI_PASSWORD_HASH].n > 0)
        return ST_OK;
    if (file.n > 0)
        TRY(read_password(call, file.p, &password));
    else
        TRY(make_password(call, &password));
    enum status status = password_hash(&call->arena, password, &call->options[CLI_PASSWORD_HASH]);
    if (status == ST_INVALID)
        return cli_fail(call, status, "a password " PASSWORD_RULE);
    if (file.n == 0)
        call->made_password = password;
    return status;
}

enum status cmd_password_show(struct cli_call *call, struct str json, bool as_json)
{
    struct str password = call->made_password;
    if (password.n == 0 || json.n == 0)
        return cli_show(call, json, as_json);
    struct str more = arena_printf(&call->arena, STR_FMT ",\"password\":\"" STR_FMT "\"}", STR_ARG(str_head(json, json.n - 1)),
                                   STR_ARG(password));
    return more.p == NULL ? ST_NO_MEMORY : cli_show(call, more, as_json);
}

/* --- organisations */

struct org_job {
    struct bootstrap_order order;
    struct bootstrap_result result;
};

static enum status make_org(struct write_op *op, void *arg)
{
    struct org_job *job = arg;
    return bootstrap_org(op, &job->order, &job->result);
}

static void write_place(struct json_writer *w, const char *name, const struct id *id, struct str slug)
{
    jw_key(w, name);
    jw_object(w);
    jw_field_id(w, "id", id);
    jw_field_str(w, "slug", slug);
    jw_end(w);
}

enum status cmd_org_create(struct cli_call *call)
{
    const struct str *options = call->options;
    struct org_job job = {.order = {.name = call->operand,
                                    .slug = options[CLI_SLUG],
                                    .workspace_name = options[CLI_WORKSPACE_NAME],
                                    .workspace_slug = options[CLI_WORKSPACE_SLUG],
                                    .admin_email = options[CLI_ADMIN_EMAIL],
                                    .admin_first_name = options[CLI_FIRST_NAME],
                                    .admin_last_name = options[CLI_LAST_NAME],
                                    .password_hash = options[CLI_PASSWORD_HASH]}};
    struct write_actor actor = cli_actor();
    struct json_writer *w = &call->json;
    enum status status = writer_run(call->home->writer, &actor, &call->arena, make_org, &job, NULL);
    if (status == ST_CONFLICT)
        return cli_fail(call, status, "there is an organisation with this slug");
    if (status == ST_INVALID)
        return cli_fail(call, status, "a name, slug or e-mail address is none");
    TRY(status);
    jw_object(w);
    write_place(w, "organisation", &job.result.org, job.result.org_slug);
    write_place(w, "workspace", &job.result.workspace, job.result.workspace_slug);
    if (options[CLI_ADMIN_EMAIL].n > 0) {
        jw_field_id(w, "admin_id", &job.result.admin);
        jw_field_str(w, "admin_email", options[CLI_ADMIN_EMAIL]);
    }
    jw_field_str(w, "org_admin_key", job.result.org_key);
    jw_field_str(w, "workspace_key", job.result.workspace_key);
    jw_end(w);
    return ST_OK;
}

/* --- admins */

struct user_job {
    struct str org, email, first_name, last_name, hash;
    uint32_t role;
    struct id org_id, user;
};

/* The organisation that was named, or the only one. */
static enum status find_org(struct kv_txn *txn, struct arena *arena, struct str name, struct record_key *key)
{
    struct record_cursor *cursor;
    struct record_key other;
    if (name.n > 0)
        return bootstrap_find_org(txn, name, key);
    TRY(record_cursor_open_org(txn, SLUICE__KIND__KIND_ORGANISATION, NULL, &cursor));
    enum status status = record_cursor_next(cursor, arena, key, NULL, NULL);
    if (status == ST_OK && record_cursor_next(cursor, arena, &other, NULL, NULL) != ST_END)
        status = ST_RANGE;
    record_cursor_close(cursor);
    return status == ST_END ? ST_NOT_FOUND : status;
}

static enum status tell_org(struct cli_call *call, enum status status)
{
    if (status == ST_NOT_FOUND)
        return cli_fail(call, status, "no such organisation");
    if (status == ST_RANGE)
        return cli_fail(call, status, "there are several organisations: say which, --org SLUG");
    return status;
}

enum status cli_find_org(struct cli_call *call, struct kv_txn *txn, struct id *org)
{
    struct record_key key;
    TRY(tell_org(call, find_org(txn, &call->arena, call->options[CLI_ORG], &key)));
    *org = key.id;
    return ST_OK;
}

static enum status make_user(struct write_op *op, void *arg)
{
    struct user_job *job = arg;
    struct record_key org;
    TRY(find_org(op->txn, op->arena, job->org, &org));
    job->org_id = org.id;
    return bootstrap_user(op, &org.id, job->email, job->first_name, job->last_name, job->hash, job->role, &job->user);
}

enum status cmd_admin_create(struct cli_call *call)
{
    static const struct str roles[] = {{"owner", 5}, {"admin", 5}, {"member", 6}};
    const struct str *options = call->options;
    struct user_job job = {.org = options[CLI_ORG],
                           .email = call->operand,
                           .first_name = options[CLI_FIRST_NAME],
                           .last_name = options[CLI_LAST_NAME],
                           .hash = options[CLI_PASSWORD_HASH],
                           .role = options[CLI_ROLE].n > 0 ? USER_ROLE_NONE : USER_ROLE_ADMIN};
    for (uint32_t i = 0; i < COUNT_OF(roles); i++)
        if (str_eq(options[CLI_ROLE], roles[i]))
            job.role = i + 1;
    if (job.role == 0)
        return cli_fail(call, ST_INVALID, "a role is owner, admin or member");
    struct write_actor actor = cli_actor();
    enum status status = writer_run(call->home->writer, &actor, &call->arena, make_user, &job, NULL);
    status = tell_org(call, status);
    if (status == ST_INVALID)
        return cli_fail(call, status, "this is no e-mail address");
    TRY(status);
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &job.user);
    jw_field_str(&call->json, "email", job.email);
    jw_field_id(&call->json, "organisation_id", &job.org_id);
    jw_field_str(&call->json, "role", roles[job.role - 1]);
    jw_end(&call->json);
    return ST_OK;
}

struct link_job {
    struct str org, email;
    struct record_key key;
    struct ticket ticket;
    int64_t until_ms;
};

static enum status make_link(struct write_op *op, void *arg)
{
    struct link_job *job = arg;
    struct record_key org;
    Sluice__User *user;
    TRY(find_org(op->txn, op->arena, job->org, &org));
    enum status status =
        record_find(op->txn, SLUICE__KIND__KIND_USER, &org.id, &ID_NONE, job->email, &job->key);
    if (status == ST_NOT_FOUND)
        return ST_INVALID;
    TRY(status);
    TRY(record_get(op->txn, &job->key, op->arena, &user, NULL));
    TRY(reset_link_make(op, &job->key, user, &job->ticket, &job->until_ms));
    struct write_audit audit = {.action = "create_reset_link",
                                .resource_type = "user",
                                .org = org.id,
                                .resource = job->key.id,
                                .slug = job->email};
    writer_audit(op, &audit);
    return ST_OK;
}

enum status cmd_admin_reset_link(struct cli_call *call)
{
    struct link_job job = {.org = call->options[CLI_ORG],
                           .email = email_lower(&call->arena, call->operand)};
    struct write_actor actor = cli_actor();
    struct str url = call->options[CLI_CONTROL];
    if (url.n == 0)
        url = params_str(call->params, PARAM_CONTROL_URL);
    if (job.email.p == NULL)
        return ST_NO_MEMORY;
    enum status status =
        writer_run(call->home->writer, &actor, &call->arena, make_link, &job, NULL);
    if (status == ST_NOT_FOUND)
        return cli_fail(call, status, "no such organisation");
    if (status == ST_RANGE)
        return cli_fail(call, status, "there are several organisations: say which, --org SLUG");
    if (status == ST_INVALID)
        return cli_fail(call, ST_NOT_FOUND, "nobody there has this e-mail address");
    TRY(status);
    struct str link = ticket_link(&call->arena, url, "reset", &job.ticket);
    secret_wipe(&job.ticket, sizeof(job.ticket));
    if (link.p == NULL)
        return ST_NO_MEMORY;
    jw_object(&call->json);
    jw_field_str(&call->json, "email", job.email);
    jw_field_str(&call->json, "reset_link", link);
    jw_field_time(&call->json, "expires_at", job.until_ms);
    jw_end(&call->json);
    return ST_OK;
}
