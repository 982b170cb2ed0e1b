/* messages_shape.c: the body of the Messages API as tables (see shape.h). Source: the API reference
 * and the official SDK's types.
 *
 * What the simulated model never makes itself (server tools and their results) is taken with any
 * members, because clients send such blocks back as they came.
 */
#include "tests/sim/anthropic/messages_shape.h"

#define NEEDED   true
#define OPTIONAL false

static const struct shape_field cache_fields[] = {
    SHAPE_ENUM("type", NEEDED, "ephemeral"),
    SHAPE_ENUM("ttl", OPTIONAL, "5m|1h"),
};
static const struct shape cache_shape = SHAPE_OF(cache_fields);

#define SHAPE_CACHE                                                                                \
    {                                                                                              \
        .name = "cache_control", .types = SHAPE_OBJECT | SHAPE_NULL, .shape = &cache_shape         \
    }

static const struct shape_field text_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("text", NEEDED),
    {.name = "citations", .types = SHAPE_ARRAY | SHAPE_NULL},
    SHAPE_CACHE,
};
static const struct shape text_shape = SHAPE_OF(text_fields);
static const struct shape_case text_cases[] = {{"text", &text_shape}};
static const struct shape texts_shape = SHAPE_TAGGED("type", text_cases);

static const struct shape_field image_base64_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_ENUM("media_type", NEEDED, "image/jpeg|image/png|image/gif|image/webp"),
    SHAPE_TEXT("data", NEEDED),
};
static const struct shape image_base64_shape = SHAPE_OF(image_base64_fields);
static const struct shape_field url_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("url", NEEDED),
};
static const struct shape url_shape = SHAPE_OF(url_fields);
static const struct shape_field file_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("file_id", NEEDED),
};
static const struct shape file_shape = SHAPE_OF(file_fields);
static const struct shape_case image_sources[] = {
    {"base64", &image_base64_shape},
    {"url", &url_shape},
    {"file", &file_shape},
};
static const struct shape image_source_shape = SHAPE_TAGGED("type", image_sources);
static const struct shape_field image_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_MEMBERS("source", NEEDED, &image_source_shape),
    {.name = "transformations", .types = SHAPE_OBJECT | SHAPE_NULL},
    SHAPE_CACHE,
};
static const struct shape image_shape = SHAPE_OF(image_fields);

static const struct shape_case source_content_cases[] = {
    {"text", &text_shape},
    {"image", &image_shape},
};
static const struct shape source_content_shape = SHAPE_TAGGED("type", source_content_cases);
static const struct shape_field pdf_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_ENUM("media_type", NEEDED, "application/pdf"),
    SHAPE_TEXT("data", NEEDED),
};
static const struct shape pdf_shape = SHAPE_OF(pdf_fields);
static const struct shape_field plain_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_ENUM("media_type", NEEDED, "text/plain"),
    SHAPE_TEXT("data", NEEDED),
};
static const struct shape plain_shape = SHAPE_OF(plain_fields);
static const struct shape_field source_content_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    {.name = "content",
     .types = SHAPE_STRING | SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .shape = &source_content_shape},
};
static const struct shape source_content_source = SHAPE_OF(source_content_fields);
static const struct shape_case document_sources[] = {
    {"base64", &pdf_shape}, {"text", &plain_shape}, {"content", &source_content_source},
    {"url", &url_shape},    {"file", &file_shape},
};
static const struct shape document_source_shape = SHAPE_TAGGED("type", document_sources);
static const struct shape_field document_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_MEMBERS("source", NEEDED, &document_source_shape),
    {.name = "title", .types = SHAPE_STRING | SHAPE_NULL},
    {.name = "context", .types = SHAPE_STRING | SHAPE_NULL},
    {.name = "citations", .types = SHAPE_OBJECT | SHAPE_NULL},
    SHAPE_CACHE,
};
static const struct shape document_shape = SHAPE_OF(document_fields);

static const struct shape_field search_result_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("source", NEEDED),
    SHAPE_TEXT("title", NEEDED),
    SHAPE_LIST("content", NEEDED, SHAPE_OBJECT, &texts_shape),
    {.name = "citations", .types = SHAPE_OBJECT},
    SHAPE_CACHE,
};
static const struct shape search_result_shape = SHAPE_OF(search_result_fields);

static const struct shape_field thinking_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("thinking", NEEDED),
    SHAPE_TEXT("signature", NEEDED),
};
static const struct shape thinking_shape = SHAPE_OF(thinking_fields);
static const struct shape_field redacted_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("data", NEEDED),
};
static const struct shape redacted_shape = SHAPE_OF(redacted_fields);

static const struct shape_field tool_use_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("id", NEEDED),
    SHAPE_TEXT("name", NEEDED),
    SHAPE_MEMBERS("input", NEEDED, NULL),
    {.name = "caller", .types = SHAPE_OBJECT},
    {.name = "toolset_name", .types = SHAPE_STRING | SHAPE_NULL},
    SHAPE_CACHE,
};
static const struct shape tool_use_shape = SHAPE_OF(tool_use_fields);
static const struct shape open_shape = {.open = true};
static const struct shape_case result_cases[] = {
    {"text", &text_shape},           {"image", &image_shape},
    {"document", &document_shape},   {"search_result", &search_result_shape},
    {"tool_reference", &open_shape}, {"browser_state", &open_shape},
};
static const struct shape result_content_shape = SHAPE_TAGGED("type", result_cases);
static const struct shape_field tool_result_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("tool_use_id", NEEDED),
    {.name = "content",
     .types = SHAPE_STRING | SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .shape = &result_content_shape},
    SHAPE_FLAG("is_error"),
    {.name = "toolset_name", .types = SHAPE_STRING | SHAPE_NULL},
    SHAPE_CACHE,
};
static const struct shape tool_result_shape = SHAPE_OF(tool_result_fields);

static const struct shape_case block_cases[] = {
    {"text", &text_shape},
    {"image", &image_shape},
    {"document", &document_shape},
    {"search_result", &search_result_shape},
    {"thinking", &thinking_shape},
    {"redacted_thinking", &redacted_shape},
    {"tool_use", &tool_use_shape},
    {"tool_result", &tool_result_shape},
    {"server_tool_use", &open_shape},
    {"web_search_tool_result", &open_shape},
    {"web_fetch_tool_result", &open_shape},
    {"code_execution_tool_result", &open_shape},
    {"bash_code_execution_tool_result", &open_shape},
    {"text_editor_code_execution_tool_result", &open_shape},
    {"tool_search_tool_result", &open_shape},
    {"mcp_tool_use", &open_shape},
    {"mcp_tool_result", &open_shape},
    {"container_upload", &open_shape},
};
static const struct shape block_shape = SHAPE_TAGGED("type", block_cases);
static const struct shape_field message_fields[] = {
    SHAPE_ENUM("role", NEEDED, "user|assistant|system"),
    {.name = "content",
     .types = SHAPE_STRING | SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .shape = &block_shape},
};
static const struct shape message_shape = SHAPE_OF(message_fields);

static const struct shape_field schema_fields[] = {
    SHAPE_ENUM("type", NEEDED, "object"),
    {.name = "properties", .types = SHAPE_OBJECT | SHAPE_NULL},
    {.name = "required", .types = SHAPE_ARRAY | SHAPE_NULL, .items = SHAPE_STRING},
};
static const struct shape schema_shape = {
    .fields = schema_fields, .count = COUNT_OF(schema_fields), .open = true};
static const struct shape_field tool_fields[] = {
    {.name = "type", .types = SHAPE_STRING | SHAPE_NULL},
    {.name = "name", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 128},
    SHAPE_TEXT("description", OPTIONAL),
    SHAPE_MEMBERS("input_schema", NEEDED, &schema_shape),
    SHAPE_LIST("allowed_callers", OPTIONAL, SHAPE_STRING, NULL),
    SHAPE_FLAG("defer_loading"),
    {.name = "eager_input_streaming", .types = SHAPE_BOOL | SHAPE_NULL},
    SHAPE_LIST("input_examples", OPTIONAL, SHAPE_OBJECT, NULL),
    SHAPE_FLAG("strict"),
    SHAPE_CACHE,
};
static const struct shape tool_shape = SHAPE_OF(tool_fields);
static const struct shape_field typed_tool_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("name", NEEDED),
};
static const struct shape typed_tool_shape = {
    .fields = typed_tool_fields, .count = COUNT_OF(typed_tool_fields), .open = true};
static const struct shape_case tool_cases[] = {
    {"custom", &tool_shape},
    {"bash_20250124", &typed_tool_shape},
    {"text_editor_20250124", &typed_tool_shape},
    {"text_editor_20250429", &typed_tool_shape},
    {"text_editor_20250728", &typed_tool_shape},
    {"memory_20250818", &typed_tool_shape},
    {"code_execution_20250522", &typed_tool_shape},
    {"code_execution_20250825", &typed_tool_shape},
    {"code_execution_20260120", &typed_tool_shape},
    {"code_execution_20260521", &typed_tool_shape},
    {"web_search_20250305", &typed_tool_shape},
    {"web_search_20260209", &typed_tool_shape},
    {"web_search_20260318", &typed_tool_shape},
    {"web_fetch_20250910", &typed_tool_shape},
    {"web_fetch_20260209", &typed_tool_shape},
    {"web_fetch_20260309", &typed_tool_shape},
    {"web_fetch_20260318", &typed_tool_shape},
    {"tool_search_tool_bm25_20251119", &typed_tool_shape},
    {"tool_search_tool_regex_20251119", &typed_tool_shape},
};
static const struct shape tools_shape = {.tag = "type",
                                         .tag_default = "custom",
                                         .cases = tool_cases,
                                         .case_count = COUNT_OF(tool_cases)};

static const struct shape_field choice_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_FLAG("disable_parallel_tool_use"),
};
static const struct shape choice_shape = SHAPE_OF(choice_fields);
static const struct shape_field choice_tool_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_TEXT("name", NEEDED),
    SHAPE_FLAG("disable_parallel_tool_use"),
};
static const struct shape choice_tool_shape = SHAPE_OF(choice_tool_fields);
static const struct shape_field type_fields[] = {SHAPE_TEXT("type", NEEDED)};
static const struct shape type_shape = SHAPE_OF(type_fields);
static const struct shape_case choice_cases[] = {
    {"auto", &choice_shape},
    {"any", &choice_shape},
    {"tool", &choice_tool_shape},
    {"none", &type_shape},
};
static const struct shape choices_shape = SHAPE_TAGGED("type", choice_cases);

#define SHAPE_DISPLAY                                                                              \
    {                                                                                              \
        .name = "display", .types = SHAPE_STRING | SHAPE_NULL, .choices = "summarized|omitted"     \
    }
static const struct shape_field thinking_enabled_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_COUNT("budget_tokens", NEEDED, 1024, 1 << 30),
    SHAPE_DISPLAY,
};
static const struct shape thinking_enabled_shape = SHAPE_OF(thinking_enabled_fields);
static const struct shape_field thinking_adaptive_fields[] = {
    SHAPE_TEXT("type", NEEDED),
    SHAPE_DISPLAY,
};
static const struct shape thinking_adaptive_shape = SHAPE_OF(thinking_adaptive_fields);
static const struct shape_case thinking_cases[] = {
    {"enabled", &thinking_enabled_shape},
    {"adaptive", &thinking_adaptive_shape},
    {"disabled", &type_shape},
    {"between_tools", &type_shape},
};
static const struct shape thinking_config_shape = SHAPE_TAGGED("type", thinking_cases);

static const struct shape_field format_fields[] = {
    SHAPE_ENUM("type", NEEDED, "json_schema"),
    SHAPE_MEMBERS("schema", NEEDED, NULL),
};
static const struct shape format_shape = SHAPE_OF(format_fields);
static const struct shape_field output_fields[] = {
    {.name = "effort", .types = SHAPE_STRING | SHAPE_NULL, .choices = "low|medium|high|xhigh|max"},
    {.name = "format", .types = SHAPE_OBJECT | SHAPE_NULL, .shape = &format_shape},
    {.name = "task_budget", .types = SHAPE_OBJECT | SHAPE_NULL},
};
static const struct shape output_shape = SHAPE_OF(output_fields);
static const struct shape_field metadata_fields[] = {
    {.name = "user_id", .types = SHAPE_STRING | SHAPE_NULL, .max = 256},
};
static const struct shape metadata_shape = SHAPE_OF(metadata_fields);

#define FIELD_MODEL SHAPE_TEXT("model", NEEDED)
#define FIELDS_PROMPT                                                                              \
    {.name = "messages",                                                                           \
     .types = SHAPE_ARRAY,                                                                         \
     .items = SHAPE_OBJECT,                                                                        \
     .needed = true,                                                                               \
     .max = 100000,                                                                                \
     .shape = &message_shape},                                                                     \
        SHAPE_CACHE,                                                                               \
        {.name = "system",                                                                         \
         .types = SHAPE_STRING | SHAPE_ARRAY,                                                      \
         .items = SHAPE_OBJECT,                                                                    \
         .shape = &texts_shape},                                                                   \
        SHAPE_MEMBERS("thinking", OPTIONAL, &thinking_config_shape),                               \
        SHAPE_MEMBERS("tool_choice", OPTIONAL, &choices_shape),                                    \
        SHAPE_LIST("tools", OPTIONAL, SHAPE_OBJECT, &tools_shape),                                 \
        SHAPE_MEMBERS("output_config", OPTIONAL, &output_shape),                                   \
        {.name = "output_format", .types = SHAPE_OBJECT | SHAPE_NULL, .shape = &format_shape},     \
        {.name = "context_management", .types = SHAPE_OBJECT | SHAPE_NULL},                        \
        {.name = "mcp_servers", .types = SHAPE_ARRAY},                                             \
    {                                                                                              \
        .name = "speed", .types = SHAPE_STRING | SHAPE_NULL, .choices = "standard|fast"            \
    }
#define FIELDS_ASK                                                                                 \
    SHAPE_COUNT("max_tokens", NEEDED, 0, 1 << 30),                                                 \
        SHAPE_MEMBERS("metadata", OPTIONAL, &metadata_shape),                                      \
        SHAPE_LIST("stop_sequences", OPTIONAL, SHAPE_STRING, NULL),                                \
        SHAPE_DECIMAL("temperature", 0, 1), SHAPE_DECIMAL("top_p", 0, 1),                          \
        SHAPE_COUNT("top_k", OPTIONAL, 0, 1 << 30)
#define FIELDS_HOSTED                                                                              \
    SHAPE_FLAG("stream"), SHAPE_ENUM("service_tier", OPTIONAL, "auto|standard_only"),              \
        {.name = "container", .types = SHAPE_STRING | SHAPE_OBJECT | SHAPE_NULL},                  \
        {.name = "diagnostics", .types = SHAPE_OBJECT | SHAPE_NULL},                               \
        {.name = "inference_geo", .types = SHAPE_STRING | SHAPE_NULL},                             \
        {.name = "fallbacks", .types = SHAPE_ARRAY | SHAPE_OBJECT | SHAPE_STRING | SHAPE_NULL},    \
    {                                                                                              \
        .name = "compaction", .types = SHAPE_OBJECT | SHAPE_NULL                                   \
    }

static const struct shape_field create_fields[] = {FIELD_MODEL, FIELDS_PROMPT, FIELDS_ASK,
                                                   FIELDS_HOSTED};
static const struct shape_field count_fields[] = {FIELD_MODEL, FIELDS_PROMPT};
static const struct shape_field bedrock_fields[] = {
    SHAPE_ENUM("anthropic_version", NEEDED, "bedrock-2023-05-31"),
    SHAPE_LIST("anthropic_beta", OPTIONAL, SHAPE_STRING, NULL), FIELDS_PROMPT, FIELDS_ASK};
static const struct shape_field vertex_fields[] = {
    SHAPE_ENUM("anthropic_version", NEEDED, "vertex-2023-10-16"),
    SHAPE_LIST("anthropic_beta", OPTIONAL, SHAPE_STRING, NULL), SHAPE_FLAG("stream"), FIELDS_PROMPT,
    FIELDS_ASK};
static const struct shape_field vertex_count_fields[] = {
    SHAPE_ENUM("anthropic_version", OPTIONAL, "vertex-2023-10-16"), FIELD_MODEL, FIELDS_PROMPT};

static const struct shape create_shape = SHAPE_OF(create_fields);
static const struct shape count_shape = SHAPE_OF(count_fields);
static const struct shape bedrock_shape = SHAPE_OF(bedrock_fields);
static const struct shape vertex_shape = SHAPE_OF(vertex_fields);
static const struct shape vertex_count_shape = SHAPE_OF(vertex_count_fields);

const struct shape *messages_shape(const struct messages *messages)
{
    switch (messages->host) {
    case MESSAGES_BEDROCK:
        return &bedrock_shape;
    case MESSAGES_VERTEX:
        return messages->counts_only ? &vertex_count_shape : &vertex_shape;
    case MESSAGES_ANTHROPIC:
        break;
    }
    return messages->counts_only ? &count_shape : &create_shape;
}

const struct messages_beta *messages_beta_at(size_t i)
{
    static const struct messages_beta rows[] = {
        {"context_management", "context-management-2025-06-27"},
        {"mcp_servers", "mcp-client-"},
        {"output_format", "structured-outputs-2025-11-13"},
        {"fallbacks", "server-side-fallback-"},
        {"compaction", "compact-"},
    };
    return i < COUNT_OF(rows) ? &rows[i] : NULL;
}
