/* node_bundle_test.c: round trips in every shape, the courier's part, and text that is no bundle. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/node_bundle.h"

static struct node_bundle bundle;
static char folder[] = "/tmp/sluice-bundle-XXXXXX";
static char path[64];

static void setup(void)
{
    bundle = (struct node_bundle){.node = id_new(), .name = "eu-1", .region = "eu"};
    snprintf(bundle.link_url, sizeof bundle.link_url, "tls+tcp://control.example.org:8789");
    snprintf(bundle.control_url, sizeof bundle.control_url, "http://control.example.org:8788");
    bundle.ca_pem = strdup("-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n");
    bundle.cert_pem = strdup("-----BEGIN CERTIFICATE-----\ncert\n-----END CERTIFICATE-----\n");
    char pem[] = "-----BEGIN PRIVATE KEY-----\nkey\n-----END PRIVATE KEY-----\n";
    cr_assert_eq(secret_take(pem, sizeof pem, &bundle.key_pem), ST_OK);
    cr_assert_eq(node_bundle_make_keys(&bundle), ST_OK);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/node.bundle", folder);
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
    node_bundle_free(&bundle);
}

TestSuite(node_bundle, .init = setup, .fini = teardown);

static void expect_same_secret(struct secret *a, struct secret *b)
{
    cr_assert(a != NULL && b != NULL);
    cr_expect(str_eq(secret_open(a), secret_open(b)));
    secret_close(a);
    secret_close(b);
}

static void expect_same(const struct node_bundle *back, bool whole)
{
    cr_expect(id_eq(&back->node, &bundle.node));
    cr_expect_str_eq(back->name, bundle.name);
    cr_expect_str_eq(back->region, bundle.region);
    cr_expect_str_eq(back->link_url, bundle.link_url);
    cr_expect_str_eq(back->control_url, bundle.control_url);
    cr_expect_str_eq(back->ca_pem, bundle.ca_pem);
    cr_expect_str_eq(back->cert_pem, bundle.cert_pem);
    cr_expect_eq(memcmp(back->public_key, bundle.public_key, sizeof bundle.public_key), 0);
    expect_same_secret(back->key_pem, bundle.key_pem);
    expect_same_secret(back->node_key, bundle.node_key);
    if (whole)
        expect_same_secret(back->private_key, bundle.private_key);
    else
        cr_expect_null(back->private_key);
}

Test(node_bundle, file_is_private_and_reads_back)
{
    struct node_bundle back;
    struct stat st;
    cr_assert_eq(node_bundle_write(path, &bundle), ST_OK);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    cr_assert_eq(node_bundle_read(path, &back), ST_OK);
    expect_same(&back, true);
    node_bundle_free(&back);
    cr_expect_eq(node_bundle_write(path, &bundle), ST_CONFLICT);
    cr_assert_eq(chmod(path, 0640), 0);
    cr_expect_eq(node_bundle_read(path, &back), ST_INVALID);
    cr_expect_eq(node_bundle_read("/nonexistent/bundle", &back), ST_NOT_FOUND);
}

Test(node_bundle, token_is_one_line_and_reads_back)
{
    struct node_bundle back;
    struct secret *line;
    cr_assert_eq(node_bundle_token(&bundle, &line), ST_OK);
    struct str text = secret_open(line);
    cr_expect_eq(str_find_char(text, '\n'), (ptrdiff_t)text.n - 1);
    cr_assert_eq(node_bundle_parse(text, &back), ST_OK);
    secret_close(line);
    secret_free(line);
    expect_same(&back, true);
    node_bundle_free(&back);
}

Test(node_bundle, the_links_part_has_no_private_key)
{
    struct node_bundle back;
    struct secret *text;
    cr_assert_eq(node_bundle_format(&bundle, false, &text), ST_OK);
    struct str s = secret_open(text);
    cr_expect(str_find(s, STR("private_key")) < 0);
    cr_assert_eq(node_bundle_parse(s, &back), ST_OK);
    secret_close(text);
    secret_free(text);
    expect_same(&back, false);
    node_bundle_free(&back);
}

/* The whole text with one line replaced (or removed, or added) must be refused, or not. */
static enum status parse_edited(const char *name, const char *replacement)
{
    struct node_bundle back;
    struct secret *text;
    static char edited[NODE_BUNDLE_MAX_BYTES];
    size_t n = 0;
    cr_assert_eq(node_bundle_format(&bundle, true, &text), ST_OK);
    struct str rest = secret_open(text), line;
    while (str_split(&rest, '\n', &line)) {
        if (name != NULL && str_starts(line, str_c(name)))
            continue;
        n += (size_t)snprintf(edited + n, sizeof edited - n, STR_FMT "\n", STR_ARG(line));
    }
    n += (size_t)snprintf(edited + n, sizeof edited - n, "%s", replacement);
    secret_close(text);
    secret_free(text);
    enum status status = node_bundle_parse(str_of(edited, n), &back);
    if (status == ST_OK)
        node_bundle_free(&back);
    return status;
}

Test(node_bundle, edited_bundles)
{
    static const struct {
        const char *drop, *add;
        enum status status;
    } rows[] = {
        {NULL, "", ST_OK},
        {NULL, "future something\n", ST_OK},
        {NULL, "\n\n", ST_OK},
        {"region ", "region \n", ST_OK},
        {"node_key ", "", ST_BAD_FORMAT},
        {"cert ", "", ST_BAD_FORMAT},
        {"node ", "", ST_BAD_FORMAT},
        {"node ", "node 00000000-0000-0000-0000-000000000000\n", ST_BAD_FORMAT},
        {"node ", "node x\n", ST_BAD_FORMAT},
        {"name ", "name \n", ST_BAD_FORMAT},
        {"name ", "name a\x01z\n", ST_BAD_FORMAT},
        {"name ", "name 01234567890123456789012345678901234567890123456789012345678901234\n", ST_BAD_FORMAT},
        {"node_key ", "node_key AAAA\n", ST_BAD_FORMAT},
        {"node_key ", "node_key !!!!\n", ST_BAD_FORMAT},
        {"public_key ", "public_key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", ST_BAD_FORMAT},
        {"cert ", "cert AAAA\n", ST_BAD_FORMAT}, /* NUL inside */
        {"key ", "key \n", ST_BAD_FORMAT},
        {NULL, "name again\n", ST_BAD_FORMAT},
        {"sluice-node-bundle", "", ST_BAD_FORMAT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(parse_edited(rows[i].drop, rows[i].add), rows[i].status, "row %zu", i);
}

Test(node_bundle, text_that_is_none)
{
    static const char *const rows[] = {"", "\n", "slnb1.", "slnb1.!!", "slnb1.AAAA", "sluice-node-bundle 2\n", "sluice-node-bundle 1"};
    struct node_bundle back;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(node_bundle_parse(str_c(rows[i]), &back), ST_BAD_FORMAT, "row %zu", i);
}
