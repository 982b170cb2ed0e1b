/* api_fixture.h: the admin API without a listener: two organisations in a temporary store, and calls through dispatch_handle. */
#ifndef SLUICE_TEST_API_FIXTURE_H
#define SLUICE_TEST_API_FIXTURE_H

#include "control-plane/api/dispatch.h"
#include "control-plane/auth/session.h"
#include "control-plane/auth/throttle.h"
#include "control-plane/domain/bootstrap.h"
#include "control-plane/domain/builtin.h"
#include "control-plane/domain/enrol.h"
#include "tests/unit/control-plane/store_fixture.h"

struct api_fixture {
    struct fixture store;
    struct api api;
    struct bootstrap_result org[2];
    struct id other_workspace; /* a second one of the first organisation */
    struct str other_key;
};

struct answer {
    int status;
    struct json *body; /* NULL if it is no JSON */
    struct str text, revision, cookie, retry_after, replayed;
};

static struct api_fixture fx;

static inline enum status api_fixture_fill(struct write_op *op, void *arg)
{
    struct id group, id;
    static const char *const providers[] = {"openai", "azure-openai", "bedrock", "anthropic"};
    static const char *const urls[] = {"https://api.openai.com/v1",
                                       "https://{azure_resource_name}.openai.azure.com/openai",
                                       "https://bedrock-runtime.{aws_region}.amazonaws.com",
                                       "https://api.anthropic.com/v1"};
    static const char *const models[] = {"gpt-4o", "gpt-4o-mini", "o1-mini"};
    (void)arg;
    TRY(vault_init(op, fx.api.vault));
    TRY(enrol_group(op, fx.api.vault, STR(ENROL_GROUP_DEFAULT), &group));
    for (size_t i = 0; i < 2; i++) {
        struct bootstrap_order order = {.name = i == 0 ? STR("Acme") : STR("Other"),
                                        .admin_email = STR("Admin@Example.com"),
                                        .admin_first_name = STR("Ada"),
                                        .password_hash = STR("x")};
        TRY(bootstrap_org(op, &order, &fx.org[i]));
    }
    for (size_t i = 0; i < COUNT_OF(providers); i++) {
        Sluice__ProviderType type = SLUICE__PROVIDER_TYPE__INIT;
        struct record_key key = {SLUICE__KIND__KIND_PROVIDER_TYPE, ID_NONE, ID_NONE,
                                 builtin_provider_type_id(str_c(providers[i]))};
        type.slug = arena_cstr(op->arena, str_c(providers[i]));
        type.base_url = arena_cstr(op->arena, str_c(urls[i]));
        TRY(record_put(op, &key, &type, str_c(type.slug)));
    }
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        Sluice__Model model = SLUICE__MODEL__INIT;
        struct record_key key = {SLUICE__KIND__KIND_MODEL, ID_NONE, builtin_provider_type_id(STR("openai")),
                                 builtin_model_id(STR("openai"), str_c(models[i]))};
        model.slug = arena_cstr(op->arena, str_c(models[i]));
        TRY(record_put(op, &key, &model, str_c(model.slug)));
    }
    Sluice__Workspace workspace = SLUICE__WORKSPACE__INIT;
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE, fx.org[0].org, ID_NONE, id_new()};
    workspace.id = wire_id_data(&key.id);
    workspace.slug = workspace.name = arena_cstr(op->arena, STR("second"));
    TRY(record_put(op, &key, &workspace, STR("second")));
    fx.other_workspace = key.id;
    return bootstrap_key(op, &fx.org[0].org, &key.id, STR("second"), STR_NONE, &id, &fx.other_key);
}

static inline void api_fixture_open(void)
{
    uint8_t raw[32] = {7};
    struct secret *master;
    memset(&fx, 0, sizeof fx);
    fixture_open(&fx.store);
    OK(secret_take(raw, sizeof raw, &master));
    OK(vault_new(master, &fx.api.vault));
    fx.api.kv = fx.store.kv;
    fx.api.writer = fx.store.writer;
    fx.api.ready = true;
    fx.api.control_url = STR("https://console.example");
    fx.api.session_ttl_ms = 3600000;
    fx.api.throttle = throttle_new();
    cr_assert_not_null(fx.api.throttle);
    OK(writer_run(fx.store.writer, &(struct write_actor){.type = "cli"}, &fx.store.arena, api_fixture_fill, NULL, NULL));
}

static inline void api_fixture_close(void)
{
    fixture_shut(&fx.store);
    vault_free(fx.api.vault);
    throttle_free(fx.api.throttle);
    arena_free(&fx.store.arena);
    fixture_remove(fx.store.path);
}

/* One call; `target` may have a query. The answer lives as long as the fixture. */
static inline struct answer api_send(const struct http_header *headers, size_t count,
                                     const char *method, const char *target, const char *body)
{
    struct arena arena;
    struct http_request request = {
        .headers = headers, .header_count = count, .client_ip = STR("127.0.0.1")};
    struct http_reply reply;
    struct answer answer = {0};
    struct str rest = str_c(target), path;
    arena_init(&arena, (size_t)64 << 20);
    cr_assert(str_split(&rest, '?', &path));
    OK(http_method_from_text(str_c(method), &request.method));
    request.path = path;
    request.query = rest;
    request.body = str_c(body);
    request.arena = &arena;
    reply_trace(&request);
    reply_init(&reply);
    dispatch_handle(&fx.api, &request, &reply);
    while (reply.piece != NULL && reply.piece(reply.piece_arg, &reply.body) == ST_OK)
        ;
    answer.status = reply.status;
    answer.text = arena_str(&fx.store.arena, buf_str(&reply.body));
    for (size_t i = 0; i < reply.header_count; i++) {
        struct str value = arena_str(&fx.store.arena, reply.headers[i].value);
        if (str_eq(reply.headers[i].name, STR("x-sluice-revision")))
            answer.revision = value;
        if (str_eq(reply.headers[i].name, STR("Set-Cookie")))
            answer.cookie = value;
        if (str_eq(reply.headers[i].name, STR("Retry-After")))
            answer.retry_after = value;
        if (str_eq(reply.headers[i].name, STR("Idempotency-Replayed")))
            answer.replayed = value;
    }
    if (json_parse(&fx.store.arena, answer.text, NULL, &answer.body, NULL) != ST_OK)
        answer.body = NULL;
    reply_wipe(&reply);
    arena_wipe(&arena);
    return answer;
}

/* With an API key; n = 0: none. */
static inline struct answer api_call(struct str key, const char *method, const char *target,
                                     const char *body)
{
    struct http_header headers[] = {{STR("x-portkey-api-key"), key}};
    return api_send(headers, key.n > 0, method, target, body);
}

/* With a session's cookie and guard word. */
static inline struct answer api_call_session(const struct ticket *ticket, const char *method,
                                             const char *target, const char *body)
{
    char text[TICKET_TEXT + 1], guard[TICKET_GUARD_TEXT + 1];
    ticket_to_text(ticket, text);
    ticket_guard(ticket, guard);
    struct http_header headers[] = {
        {STR("cookie"), arena_printf(&fx.store.arena, "a=b; " SESSION_COOKIE "=%s", text)},
        {STR("x-csrf-token"), str_c(guard)}};
    return api_send(headers, COUNT_OF(headers), method, target, body);
}

/* A person, what they are in a workspace (NULL: nowhere), and a session of theirs. */
struct fixture_person {
    const struct id *org, *workspace;
    const char *email;
    enum user_role org_role;
    enum member_role role;
    struct str hash; /* of the password; n = 0: none */
    struct id user;
    struct ticket ticket;
};

static inline enum status api_fixture_session(struct write_op *op, void *arg)
{
    struct fixture_person *person = arg;
    struct session_order order = {.org = *person->org, .user = person->user, .ttl_ms = 3600000};
    struct write_audit audit = test_audit("sign_in");
    int64_t expires_at_ms;
    writer_audit(op, &audit);
    return session_make(op, &order, &person->ticket, &expires_at_ms);
}

static inline enum status api_fixture_person(struct write_op *op, void *arg)
{
    struct fixture_person *person = arg;
    TRY(bootstrap_user(op, person->org, str_c(person->email), STR_NONE, STR_NONE, person->hash,
                       person->org_role, &person->user));
    if (person->workspace != NULL) {
        Sluice__Member member = SLUICE__MEMBER__INIT;
        struct record_key key = {SLUICE__KIND__KIND_MEMBER, *person->org, *person->workspace,
                                 person->user};
        member.user = wire_id_data(&person->user);
        member.role = person->role;
        TRY(record_put(op, &key, &member, STR_NONE));
    }
    return api_fixture_session(op, person);
}

static inline void api_fixture_add(struct fixture_person *person)
{
    OK(writer_run(fx.store.writer, &(struct write_actor){.type = "cli"}, &fx.store.arena,
                  api_fixture_person, person, NULL));
}

/* A member by a dotted path ("data.message", "models.0.slug"). */
static inline const struct json *at(const struct json *node, const char *path)
{
    struct str rest = str_c(path), part;
    uint64_t index;
    while (node != NULL && str_split(&rest, '.', &part))
        node = node->type == JSON_ARRAY && str_to_u64(part, &index) == ST_OK ? json_at(node, (size_t)index)
                                                                           : json_get_str(node, part);
    return node;
}

static inline struct str text_at(const struct json *node, const char *path)
{
    struct str text = STR("");
    const struct json *found = at(node, path);
    if (json_is(found, JSON_STRING))
        OK(json_text(found, &fx.store.arena, &text));
    return text;
}

/* Raw JSON at a path, "" if absent. */
static inline struct str raw_at(const struct json *node, const char *path)
{
    const struct json *found = at(node, path);
    return found == NULL ? STR("") : found->raw;
}

#define ADMIN     fx.org[0].org_key
#define WORKSPACE fx.org[0].workspace_key

#define EXPECT_STATUS(answer, wanted)                                                              \
    cr_expect_eq((answer).status, (wanted), "status %d, not %d: %.*s", (answer).status, (wanted),  \
                 (int)(answer).text.n, (answer).text.p)
#define EXPECT_RAW(answer, path, wanted)                                                           \
    cr_expect(str_eq(raw_at((answer).body, path), str_c(wanted)), "%s is %.*s, not %s in %.*s",    \
              path, STR_ARG(raw_at((answer).body, path)), wanted, STR_ARG((answer).text))
#define TARGET(...) arena_printf(&fx.store.arena, __VA_ARGS__).p

#endif
