/* bedrock_model.c: see bedrock_model.h and bedrock_model.def.
 *
 * The catalog's base model comes before the id that is sent, because an ARN may be anything. A
 * region's prefix is one label ("us.", "apac.", "us-gov."), so a family is looked for at the
 * beginning and behind the first dot. What a model refuses in spite of it, it says itself.
 */
#include "data-plane/dialect/bedrock_model.h"

#include "common/json_scan.h"

#define CLAUDE_FORMAT_SINCE 405 /* structured outputs on Bedrock: Claude 4.5 */

static const struct {
    struct str prefix;
    enum bedrock_family family;
    unsigned traits;
    const char *top_k;
} families[] = {
#define FAMILY(prefix, name, traits, top_k)                                                        \
    {{prefix, sizeof prefix - 1}, BEDROCK_##name, traits, top_k},
#include "data-plane/dialect/bedrock_model.def"
#undef FAMILY
};

/* configurations.aws_inference_profiles[name]; n = 0: it does not say. */
static struct str configured(const struct dialect_target *target, struct str name)
{
    struct str map =
        json_member(target->configurations_json, "aws_inference_profiles", JSON_OBJECT);
    struct str key, value;
    enum json_type type;
    size_t at = 0;
    while (map.p != NULL && json_scan_next(map, &at, &key, &value, &type))
        if (type == JSON_STRING && json_string_is(key, name))
            return str_of(value.p + 1, value.n - 2); /* ids have no escapes */
    return STR_NONE;
}

static struct str foundation_id(const struct dialect_target *target)
{
    struct str name = target->base_model.n > 0 ? target->base_model : target->model;
    struct str known = configured(target, target->model);
    if (known.n > 0)
        name = known;
    for (size_t i = str_starts(name, STR("arn:")) ? name.n : 0; i > 0; i--)
        if (name.p[i - 1] == '/')
            return str_from(name, i);
    return name;
}

static bool find_family(struct str id, struct bedrock_model *model)
{
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if (!str_starts(id, families[i].prefix))
            continue;
        model->id = id;
        model->family = families[i].family;
        model->traits = families[i].traits;
        model->top_k = families[i].top_k;
        return true;
    }
    return false;
}

static bool is_listed(const struct dialect_target *target, struct str capability)
{
    struct str rest = target->capabilities, item;
    while (rest.n > 0 && str_split(&rest, '\n', &item))
        if (str_eq(item, capability))
            return true;
    return false;
}

void bedrock_model_of(const struct dialect_target *target, struct bedrock_model *model)
{
    struct str id = foundation_id(target);
    ptrdiff_t dot = str_find_char(id, '.');
    *model = (struct bedrock_model){.id = id};
    if (!find_family(id, model) && dot > 0)
        find_family(str_from(id, (size_t)dot + 1), model);
    bool format =
        (model->traits & BEDROCK_FORMAT) != 0 || is_listed(target, STR("structured_output"));
    if (model->family == BEDROCK_CLAUDE) {
        anthropic_model_of(model->id, &model->as);
        format = format || model->as.version >= CLAUDE_FORMAT_SINCE;
    } else {
        model->as = (struct anthropic_model){
            .sampling = true, .forced_tool = (model->traits & BEDROCK_AUTO_ONLY) == 0};
    }
    model->as.output_format = model->as.strict_tools = format;
    model->as.system_inside = false;
}
