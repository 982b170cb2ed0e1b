/* upstream_host_test.c: custom hosts and placeholders as tables: what becomes a base URL, and what must not. */
#include "control-plane/domain/upstream_host.h"

#include <criterion/criterion.h>

#include "common/buf.h"

static struct arena arena;

static void begin(void)
{
    arena_init(&arena, 1u << 20);
}

static void end(void)
{
    arena_free(&arena);
}

TestSuite(upstream_host, .init = begin, .fini = end);

static const struct {
    const char *url, *allowed, *base_url, *host; /* base_url NULL: refused */
} urls[] = {
    {"https://api.example.com/v1", "", "https://api.example.com/v1", "api.example.com"},
    {"https://API.Example.com/V1/", "", "https://api.example.com/V1", "api.example.com"},
    {"api.example.com", "", "https://api.example.com", "api.example.com"},
    {"https://api.example.com:443/v1", "", "https://api.example.com/v1", "api.example.com"},
    {"https://api.example.com:8443/v1", "", "https://api.example.com:8443/v1", "api.example.com:8443"},
    {"https://8.8.8.8/v1", "", "https://8.8.8.8/v1", "8.8.8.8"},
    {"https://[2606:4700::1111]:8443/", "", "https://[2606:4700::1111]:8443", "[2606:4700::1111]:8443"},
    {"http://127.0.0.1:9000/v1", "127.0.0.0/8", "http://127.0.0.1:9000/v1", "127.0.0.1:9000"},
    {"http://localhost:9000/v1", "127.0.0.0/8", "http://localhost:9000/v1", "localhost:9000"},
    {"https://10.1.2.3/", "10.0.0.0/8", "https://10.1.2.3", "10.1.2.3"},
    {"https://10.1.2.3/", "192.168.0.0/16", NULL, NULL},
    {"http://api.example.com/v1", "", NULL, NULL},
    {"https://127.0.0.1/", "", NULL, NULL},
    {"https://127.1/", "127.0.0.0/8", NULL, NULL},
    {"https://0x7f000001/", "127.0.0.0/8", NULL, NULL},
    {"https://2130706433/", "127.0.0.0/8", NULL, NULL},
    {"https://0177.0.0.1/", "127.0.0.0/8", NULL, NULL},
    {"https://169.254.169.254/latest", "0.0.0.0/0", NULL, NULL},
    {"https://[fd00:ec2::254]/", "::/0", NULL, NULL},
    {"https://[::ffff:127.0.0.1]/", "", NULL, NULL},
    {"https://[64:ff9b::7f00:1]/", "", NULL, NULL},
    {"https://user@api.example.com/", "", NULL, NULL},
    {"https://user:pass@api.example.com/", "", NULL, NULL},
    {"https://api.example.com/?q", "", NULL, NULL},
    {"https://api.example.com/#f", "", NULL, NULL},
    {"https://api.example.com/a b", "", NULL, NULL},
    {"https://api.example.com/a\r\nx: y", "", NULL, NULL},
    {"https://api.example.com/../x", "", NULL, NULL},
    {"https://api..example.com/", "", NULL, NULL},
    {"https://-a.example.com/", "", NULL, NULL},
    {"https://api.example.com:0/", "", NULL, NULL},
    {"https://api.example.com:99999/", "", NULL, NULL},
    {"https:///v1", "", NULL, NULL},
    {"ftp://api.example.com/", "", NULL, NULL},
    {"file:///etc/passwd", "", NULL, NULL},
    {"", "", NULL, NULL},
};

Test(upstream_host, custom_hosts)
{
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        char *base_url = NULL;
        struct str host = STR_NONE;
        const char *why = NULL;
        enum status status = upstream_host_check(&arena, str_c(urls[i].url), str_c(urls[i].allowed), &base_url, &host, &why);
        cr_expect_eq(status, urls[i].base_url == NULL ? ST_INVALID : ST_OK, "%s: %s", urls[i].url, status_row(status)->name);
        if (status != ST_OK || urls[i].base_url == NULL)
            continue;
        cr_expect_str_eq(base_url, urls[i].base_url);
        cr_expect(str_eq(host, str_c(urls[i].host)), "%s: host " STR_FMT, urls[i].url, STR_ARG(host));
    }
}

#define VERTEX "{\"hosts\":[\"s.com\",\"{vertex_region}-a.com\"],\"token_hosts\":[\"t.com\"],\"base_urls\":{\"vertex_region\":{\"global\":\"https://a.com\"}}}"

static const struct {
    const char *row_base, *row_data, *configurations, *base_url, *hosts; /* base_url NULL: refused */
} rows[] = {
    {"https://api.openai.com/v1", "", "{}", "https://api.openai.com/v1", "api.openai.com"},
    {"https://api.openai.com/v1", "", "{\"custom_host\":\"https://x.example/v1\"}", "https://x.example/v1", "x.example"},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{\"azure_resource_name\":\"acme-1\"}",
     "https://acme-1.openai.azure.com/openai", "acme-1.openai.azure.com"},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{}", "", ""},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{\"azure_resource_name\":\"evil.example/\"}", NULL, ""},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{\"azure_resource_name\":\"evil.example#\"}", NULL, ""},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{\"azure_resource_name\":\"u:p@evil.example\"}", NULL, ""},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{\"azure_resource_name\":\"a\\u0000b\"}", NULL, ""},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{\"azure_resource_name\":\"\xc3\xa4\"}", NULL, ""},
    {"https://{azure_resource_name}.openai.azure.com/openai", "", "{\"azure_resource_name\":5}", NULL, ""},
    {"https://{aws_region}.x.com", "{\"hosts\":[\"{aws_region}.x.com\",\"s3.{aws_region}.x.com\",\"{id}.x.com\"]}", "{\"aws_region\":\"eu\"}",
     "https://eu.x.com", "eu.x.com s3.eu.x.com"},
    {"https://{vertex_region}-a.com/{vertex_project_id}/{model}", "", "{\"vertex_region\":\"eu\",\"vertex_project_id\":\"d.com:p\"}",
     "https://eu-a.com/d.com:p/{model}", "eu-a.com"},
    {"https://{vertex_region}-a.com", "", "{\"vertex_region\":\"evil.example\"}", NULL, ""},
    {"https://{vertex_region}-a.com", "", "{\"vertex_region\":\"EU\"}", NULL, ""},
    {"https://{vertex_region}-a.com", VERTEX, "{\"vertex_region\":\"eu-1\"}", "https://eu-1-a.com", "eu-1-a.com s.com t.com"},
    {"https://{vertex_region}-a.com", VERTEX, "{\"vertex_region\":\"global\"}", "https://a.com", "a.com s.com t.com"},
    {"https://{vertex_region}-a.com", VERTEX, "{\"vertex_region\":\"global\",\"custom_host\":\"https://x.example\"}", "https://x.example",
     "x.example t.com"},
    {"{azure_foundry_url}", "", "{\"azure_foundry_url\":\"https://f.services.ai.azure.com/models\"}",
     "https://f.services.ai.azure.com/models", "f.services.ai.azure.com"},
    {"{azure_foundry_url}", "", "{\"azure_foundry_url\":\"https://169.254.169.254/\"}", NULL, ""},
    {"", "", "{}", "", ""},
    {"https://a.com", "", "{\"credential_hosts\":[\"b.com\",\"https://c.com:8443/\"]}", "https://a.com", "a.com b.com c.com:8443"},
    {"https://a.com", "", "{\"credential_hosts\":[\"10.0.0.1\"]}", NULL, ""},
    {"https://a.com", "", "{\"credential_hosts\":\"b.com\"}", NULL, ""},
};

Test(upstream_host, rows_and_their_placeholders)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Sluice__ProviderType type = SLUICE__PROVIDER_TYPE__INIT;
        struct upstream_host out;
        struct str why;
        struct json *configurations;
        type.base_url = arena_cstr(&arena, str_c(rows[i].row_base));
        type.data_json = arena_cstr(&arena, str_c(rows[i].row_data));
        cr_assert_eq(json_parse(&arena, str_c(rows[i].configurations), NULL, &configurations, NULL), ST_OK);
        struct upstream_input input = {&type, configurations, STR("")};
        enum status status = upstream_host_make(&arena, &input, &out, &why);
        cr_expect_eq(status, rows[i].base_url == NULL ? ST_INVALID : ST_OK, "case %zu: %s " STR_FMT, i, status_row(status)->name, STR_ARG(why));
        if (status != ST_OK) {
            cr_expect(str_starts(why, STR("configurations.")), "case %zu: " STR_FMT, i, STR_ARG(why));
            continue;
        }
        cr_expect_str_eq(out.base_url, rows[i].base_url, "case %zu: %s", i, out.base_url);
        struct buf hosts;
        buf_init(&hosts, 4096);
        for (size_t k = 0; k < out.host_count; k++) {
            if (k > 0)
                buf_add_char(&hosts, ' ');
            buf_add_str(&hosts, out.hosts[k]);
        }
        cr_expect(str_eq(buf_str(&hosts), str_c(rows[i].hosts)), "case %zu: " STR_FMT, i, STR_ARG(buf_str(&hosts)));
        buf_free(&hosts);
    }
}
