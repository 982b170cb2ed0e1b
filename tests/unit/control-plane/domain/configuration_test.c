/* Fields that end up in addresses: what may be saved. ' stands for ". */
#include "control-plane/domain/configuration.h"

#include <criterion/criterion.h>

#define ONE(more)   "{'azure_deployment_name':'d','azure_api_version':'v1'" more "}"
#define LIST(items) "{'azure_deployment_config':[" items "]}"

static const struct {
    const char *in, *why;
} rows[] = {
    {"{}", NULL},
    {"{'aws_region':null,'unknown':[1]}", NULL},
    {"{'aws_region':'us-gov-west-1','azure_resource_name':'acme-eu'}", NULL},
    {"{'aws_region':'us-east-1.evil.com'}", "aws_region: must be a region's name"},
    {"{'aws_region':'EU'}", "aws_region: must be a region's name"},
    {"{'aws_region':7}", "aws_region: must be a string"},
    {"{'aws_region':''}", "aws_region: must be a region's name"},
    {"{'azure_resource_name':'evil.com#'}", "azure_resource_name: must be letters"},
    {"{'azure_resource_name':'evil.com/x'}", "azure_resource_name: must be letters"},
    {"{'azure_resource_name':'me@evil'}", "azure_resource_name: must be letters"},
    {"{'azure_resource_name':'evil.com'}", "azure_resource_name: must be letters"},
    {"{'azure_resource_name':'a\\u0000b'}", "azure_resource_name: must be letters"},
    {"{'azure_api_version':'2024-10-21&x=1'}", "azure_api_version: must be an API version"},
    {"{'azure_api_version':'1234567890123456789012345678901'}",
     "azure_api_version: must be an API version"},
    {"{'azure_entra_tenant_id':'t/../x'}", "azure_entra_tenant_id: must be letters"},
    {"{'aws_role_arn':'arn:aws:iam::123456789012:role/a/b+c'}", NULL},
    {"{'aws_role_arn':'role/x'}", "aws_role_arn: must be an ARN"},
    {"{'aws_role_arn':'arn:aws:iam::1:role/x y'}", "aws_role_arn: must be an ARN"},
    {"{'aws_external_id':'a&b'}", "aws_external_id: must be 2 to 1224"},
    {"{'aws_external_id':'a:b/c=d@e'}", NULL},
    {"{'aws_role_session_name':'a:b'}", "aws_role_session_name: must be 2 to 64"},
    {"{'aws_inference_profiles':{'arn:x':'amazon.nova-lite-v1:0'}}", NULL},
    {"{'aws_inference_profiles':['x']}", "aws_inference_profiles: must be an object"},
    {"{'aws_inference_profiles':{'a':1}}", "aws_inference_profiles: must be a string"},
    {LIST(ONE("")), NULL},
    {LIST(ONE(",'alias':'a','is_default':true") "," ONE(",'alias':'b','is_default':false")), NULL},
    {LIST(ONE(",'azure_model_slug':'gpt-4o'") "," ONE(",'azure_model_slug':'gpt-4o'")), NULL},
    {LIST(""), "azure_deployment_config: must be an array of 1 to 64"},
    {"{'azure_deployment_config':{}}", "azure_deployment_config: must be an array"},
    {LIST("1"), "azure_deployment_config: must hold objects"},
    {LIST("{'azure_api_version':'v1'}"),
     "azure_deployment_config[0].azure_deployment_name: required"},
    {LIST(ONE("") ",{'azure_deployment_name':'d'}"),
     "azure_deployment_config[1].azure_api_version: required"},
    {LIST("{'azure_deployment_name':'a/b','azure_api_version':'v1'}"),
     "azure_deployment_config[0].azure_deployment_name: must be letters"},
    {LIST(ONE(",'alias':'a b'")), "azure_deployment_config[0].alias: must be 1 to 255"},
    {LIST(ONE(",'alias':'a'") "," ONE(",'alias':'a'")),
     "azure_deployment_config[1].alias: another deployment has this alias"},
    {LIST(ONE(",'is_default':true") "," ONE("") "," ONE(",'is_default':true")),
     "azure_deployment_config[2].is_default: another deployment is the default"},
};

Test(configuration, rules)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena arena;
        struct json *root;
        struct str why;
        arena_init(&arena, 1 << 20);
        char *text = arena_cstr(&arena, str_c(rows[i].in));
        for (char *p = text; *p != '\0'; p++)
            *p = *p == '\'' ? '"' : *p;
        cr_assert_eq(json_parse(&arena, str_c(text), NULL, &root, NULL), ST_OK, "%s", text);
        enum status status = configuration_check(&arena, root, &why);
        if (rows[i].why == NULL) {
            cr_expect_eq(status, ST_OK, "%s: " STR_FMT, text, STR_ARG(why));
        } else {
            cr_expect_eq(status, ST_INVALID, "%s", text);
            cr_expect(str_starts(why, STR("configurations.")) &&
                          str_find(why, str_c(rows[i].why)) == 15,
                      "%s: " STR_FMT, text, STR_ARG(why));
        }
        arena_free(&arena);
    }
}

Test(configuration, nothing_at_all)
{
    struct str why;
    cr_expect_eq(configuration_check(NULL, NULL, &why), ST_OK);
}
