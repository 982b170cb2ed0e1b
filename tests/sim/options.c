/* options.c: see options.h. One table; --name value and --name=value are the same. Unknown names
 * are refused. */
#include "tests/sim/options.h"

#include "common/str.h"

#include <stdio.h>

enum option_kind { OPTION_TEXT, OPTION_NUMBER, OPTION_PORT, OPTION_LIST };

struct option_row {
    const char *name;
    enum option_kind kind;
    size_t offset;
    uint64_t max;
    const char *text;
};

#define OPTION_AT(field) offsetof(struct options, field)
#define OPTION_MS_MAX    3600000u

static const struct option_row option_rows[] = {
    {"port", OPTION_PORT, OPTION_AT(port), 65535, "TCP port; 0 picks a free one"},
    {"bind", OPTION_TEXT, OPTION_AT(bind), 0, "address to listen on (127.0.0.1)"},
    {"tls-cert", OPTION_TEXT, OPTION_AT(tls_cert), 0,
     "PEM certificate chain; TLS is on with both files"},
    {"tls-key", OPTION_TEXT, OPTION_AT(tls_key), 0, "PEM private key"},
    {"truth-log", OPTION_TEXT, OPTION_AT(truth_log), 0,
     "file to append one JSON line per request to"},
    {"chunk-interval-ms", OPTION_NUMBER, OPTION_AT(chunk_interval_ms), OPTION_MS_MAX,
     "pause between the chunks of a stream (0)"},
    {"chunks", OPTION_NUMBER, OPTION_AT(chunks), 1000000,
     "content chunks of a stream (0: one per token, <= 64)"},
    {"latency-ms", OPTION_NUMBER, OPTION_AT(latency_ms), OPTION_MS_MAX,
     "wait before every reply (0)"},
    {"job-ms", OPTION_NUMBER, OPTION_AT(job_ms), OPTION_MS_MAX,
     "how long batches, fine-tuning jobs and background responses run (1000)"},
    {"token-seconds", OPTION_NUMBER, OPTION_AT(token_seconds), 86400,
     "life of the tokens given out (0: what was asked for)"},
    {"accept-key", OPTION_LIST, OPTION_AT(accept_keys), 0,
     "a key that is accepted; repeatable; none given: any key is good"},
    {"model", OPTION_LIST, OPTION_AT(models), 0, "one more known model; repeatable"},
    {"url-keys", OPTION_NUMBER, OPTION_AT(url_keys), 1,
     "1: Google's API keys may come in the URL (0: they are refused)"},
    {"service-account", OPTION_LIST, OPTION_AT(service_accounts), 0,
     "JSON file of a Google service account that gets tokens; repeatable"},
    {"aws-key", OPTION_LIST, OPTION_AT(aws_keys), 0,
     "ID:SECRET of an AWS access key; repeatable; none given: the published example"},
    {"entra-client", OPTION_LIST, OPTION_AT(entra_clients), 0,
     "TENANT/ID:SECRET of a client of Microsoft Entra; repeatable"},
    {"aws-role", OPTION_LIST, OPTION_AT(aws_roles), 0,
     "ARN or ARN=EXTERNAL_ID of a role; repeatable; none given: any role"},
};

bool options_accept_key(const struct options *options, struct str key)
{
    for (size_t i = 0; i < options->accept_keys.count; i++) {
        if (str_eq(key, str_c(options->accept_keys.item[i])))
            return true;
    }
    return options->accept_keys.count == 0;
}

static void options_help(void)
{
    puts("sluice-sim: a simulated OpenAI provider. See tests/sim/README.md.");
    for (size_t i = 0; i < COUNT_OF(option_rows); i++)
        printf("  --%-18s %s\n", option_rows[i].name, option_rows[i].text);
}

static enum status options_list_add(struct options_list *list, const char *value)
{
    if (list->count == OPTIONS_LIST_MAX)
        return ST_TOO_LARGE;
    list->item[list->count++] = value;
    return ST_OK;
}

static enum status options_set(struct options *options, const struct option_row *row,
                               const char *value)
{
    char *base = (char *)options;
    uint64_t number = 0;
    switch (row->kind) {
    case OPTION_TEXT:
        *(const char **)(void *)(base + row->offset) = value;
        return ST_OK;
    case OPTION_LIST:
        return options_list_add((struct options_list *)(void *)(base + row->offset), value);
    case OPTION_NUMBER:
    case OPTION_PORT:
        break;
    }
    TRY(str_to_u64(str_c(value), &number));
    if (number > row->max)
        return ST_RANGE;
    if (row->kind == OPTION_PORT)
        options->port = (uint16_t)number;
    else
        *(int64_t *)(void *)(base + row->offset) = (int64_t)number;
    return ST_OK;
}

static const struct option_row *options_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(option_rows); i++) {
        if (str_eq(name, str_c(option_rows[i].name)))
            return &option_rows[i];
    }
    return NULL;
}

enum status options_parse(int argc, char **argv, struct options *options)
{
    *options = (struct options){.bind = "127.0.0.1", .job_ms = 1000};
    for (int i = 1; i < argc; i++) {
        struct str arg = str_c(argv[i]);
        if (str_eq(arg, STR("--help"))) {
            options_help();
            return ST_END;
        }
        ptrdiff_t equals = str_find_char(arg, '=');
        struct str name = str_from(equals < 0 ? arg : str_head(arg, (size_t)equals), 2);
        const struct option_row *row = str_starts(arg, STR("--")) ? options_find(name) : NULL;
        const char *value = equals >= 0 ? argv[i] + equals + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (row == NULL || value == NULL || options_set(options, row, value) != ST_OK) {
            fprintf(stderr, "sluice-sim: bad option or value: " STR_FMT "\n", STR_ARG(arg));
            return ST_INVALID;
        }
    }
    if ((options->tls_cert == NULL) != (options->tls_key == NULL)) {
        fprintf(stderr, "sluice-sim: --tls-cert and --tls-key go together\n");
        return ST_INVALID;
    }
    return ST_OK;
}
