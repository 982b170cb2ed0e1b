/* converse_shape.c: the body of Converse as tables (shape.h). Source: the API reference and the
 * SDK's model. AWS ignores members it does not know; the simulator refuses them, so that a gateway
 * that sends what nobody reads is found out.
 */
#include "tests/sim/aws/converse.h"

#define NEEDED   true
#define OPTIONAL false

static const struct shape_field cache_fields[] = {
    SHAPE_ENUM("type", NEEDED, "default"),
    SHAPE_ENUM("ttl", OPTIONAL, "5m|1h"),
};
static const struct shape cache_shape = SHAPE_OF(cache_fields);
static const struct shape_field s3_fields[] = {
    SHAPE_TEXT("uri", NEEDED),
    SHAPE_TEXT("bucketOwner", OPTIONAL),
};
static const struct shape s3_shape = SHAPE_OF(s3_fields);
static const struct shape_field source_fields[] = {
    SHAPE_TEXT("bytes", OPTIONAL),
    SHAPE_MEMBERS("s3Location", OPTIONAL, &s3_shape),
};
static const struct shape source_shape = {
    .fields = source_fields, .count = COUNT_OF(source_fields), .one_of = true};
static const struct shape_field image_fields[] = {
    SHAPE_ENUM("format", NEEDED, "png|jpeg|gif|webp"),
    SHAPE_MEMBERS("source", NEEDED, &source_shape),
};
static const struct shape image_shape = SHAPE_OF(image_fields);
static const struct shape_field video_fields[] = {
    SHAPE_ENUM("format", NEEDED, "mkv|mov|mp4|webm|flv|mpeg|mpg|wmv|three_gp"),
    SHAPE_MEMBERS("source", NEEDED, &source_shape),
};
static const struct shape video_shape = SHAPE_OF(video_fields);
static const struct shape_field audio_fields[] = {
    SHAPE_ENUM("format", NEEDED,
               "mp3|opus|wav|aac|flac|mp4|ogg|mkv|mka|x-aac|m4a|mpeg|mpga|pcm|webm"),
    SHAPE_MEMBERS("source", NEEDED, &source_shape),
};
static const struct shape audio_shape = SHAPE_OF(audio_fields);
static const struct shape_field only_text_fields[] = {SHAPE_TEXT("text", NEEDED)};
static const struct shape only_text_shape = SHAPE_OF(only_text_fields);
static const struct shape_field document_source_fields[] = {
    SHAPE_TEXT("bytes", OPTIONAL),
    SHAPE_MEMBERS("s3Location", OPTIONAL, &s3_shape),
    SHAPE_TEXT("text", OPTIONAL),
    SHAPE_LIST("content", OPTIONAL, SHAPE_OBJECT, &only_text_shape),
};
static const struct shape document_source_shape = {
    .fields = document_source_fields, .count = COUNT_OF(document_source_fields), .one_of = true};
static const struct shape_field document_fields[] = {
    SHAPE_ENUM("format", OPTIONAL, "pdf|csv|doc|docx|xls|xlsx|html|txt|md"),
    {.name = "name", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 200},
    SHAPE_MEMBERS("source", NEEDED, &document_source_shape),
    SHAPE_TEXT("context", OPTIONAL),
    SHAPE_MEMBERS("citations", OPTIONAL, NULL),
};
static const struct shape document_shape = SHAPE_OF(document_fields);
static const struct shape_field search_result_fields[] = {
    SHAPE_TEXT("source", NEEDED),
    SHAPE_TEXT("title", NEEDED),
    SHAPE_LIST("content", NEEDED, SHAPE_OBJECT, &only_text_shape),
    SHAPE_MEMBERS("citations", OPTIONAL, NULL),
};
static const struct shape search_result_shape = SHAPE_OF(search_result_fields);

static const struct shape_field tool_use_fields[] = {
    {.name = "toolUseId", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 64},
    {.name = "name", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 64},
    {.name = "input", .types = SHAPE_ANY, .needed = true},
    SHAPE_TEXT("type", OPTIONAL),
};
static const struct shape tool_use_shape = SHAPE_OF(tool_use_fields);
static const struct shape_field result_content_fields[] = {
    SHAPE_TEXT("text", OPTIONAL),
    {.name = "json", .types = SHAPE_ANY},
    SHAPE_MEMBERS("image", OPTIONAL, &image_shape),
    SHAPE_MEMBERS("document", OPTIONAL, &document_shape),
    SHAPE_MEMBERS("video", OPTIONAL, &video_shape),
    SHAPE_MEMBERS("searchResult", OPTIONAL, &search_result_shape),
};
static const struct shape result_content_shape = {
    .fields = result_content_fields, .count = COUNT_OF(result_content_fields), .one_of = true};
static const struct shape_field tool_result_fields[] = {
    {.name = "toolUseId", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 64},
    SHAPE_LIST("content", NEEDED, SHAPE_OBJECT, &result_content_shape),
    SHAPE_ENUM("status", OPTIONAL, "success|error"),
    SHAPE_TEXT("type", OPTIONAL),
};
static const struct shape tool_result_shape = SHAPE_OF(tool_result_fields);

static const struct shape_field reasoning_text_fields[] = {
    SHAPE_TEXT("text", NEEDED),
    SHAPE_TEXT("signature", OPTIONAL),
};
static const struct shape reasoning_text_shape = SHAPE_OF(reasoning_text_fields);
static const struct shape_field reasoning_fields[] = {
    SHAPE_MEMBERS("reasoningText", OPTIONAL, &reasoning_text_shape),
    SHAPE_TEXT("redactedContent", OPTIONAL),
};
static const struct shape reasoning_shape = {
    .fields = reasoning_fields, .count = COUNT_OF(reasoning_fields), .one_of = true};

static const struct shape_field block_fields[] = {
    SHAPE_TEXT("text", OPTIONAL),
    SHAPE_MEMBERS("image", OPTIONAL, &image_shape),
    SHAPE_MEMBERS("document", OPTIONAL, &document_shape),
    SHAPE_MEMBERS("video", OPTIONAL, &video_shape),
    SHAPE_MEMBERS("audio", OPTIONAL, &audio_shape),
    SHAPE_MEMBERS("toolUse", OPTIONAL, &tool_use_shape),
    SHAPE_MEMBERS("toolResult", OPTIONAL, &tool_result_shape),
    SHAPE_MEMBERS("guardContent", OPTIONAL, NULL),
    SHAPE_MEMBERS("cachePoint", OPTIONAL, &cache_shape),
    SHAPE_MEMBERS("reasoningContent", OPTIONAL, &reasoning_shape),
    SHAPE_MEMBERS("citationsContent", OPTIONAL, NULL),
    SHAPE_MEMBERS("searchResult", OPTIONAL, &search_result_shape),
};
static const struct shape block_shape = {
    .fields = block_fields, .count = COUNT_OF(block_fields), .one_of = true};
static const struct shape_field message_fields[] = {
    SHAPE_ENUM("role", NEEDED, "user|assistant"),
    {.name = "content",
     .types = SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .min = 1,
     .shape = &block_shape},
};
static const struct shape message_shape = SHAPE_OF(message_fields);

static const struct shape_field system_fields[] = {
    SHAPE_TEXT("text", OPTIONAL),
    SHAPE_MEMBERS("guardContent", OPTIONAL, NULL),
    SHAPE_MEMBERS("cachePoint", OPTIONAL, &cache_shape),
};
static const struct shape system_shape = {
    .fields = system_fields, .count = COUNT_OF(system_fields), .one_of = true};

static const struct shape_field input_schema_fields[] = {SHAPE_MEMBERS("json", NEEDED, NULL)};
static const struct shape input_schema_shape = SHAPE_OF(input_schema_fields);
static const struct shape_field spec_fields[] = {
    {.name = "name", .types = SHAPE_STRING, .needed = true, .min = 1, .max = 64},
    {.name = "description", .types = SHAPE_STRING, .min = 1},
    SHAPE_MEMBERS("inputSchema", NEEDED, &input_schema_shape),
    SHAPE_FLAG("strict"),
};
static const struct shape spec_shape = SHAPE_OF(spec_fields);
static const struct shape_field tool_fields[] = {
    SHAPE_MEMBERS("toolSpec", OPTIONAL, &spec_shape),
    SHAPE_MEMBERS("systemTool", OPTIONAL, NULL),
    SHAPE_MEMBERS("cachePoint", OPTIONAL, &cache_shape),
};
static const struct shape tool_shape = {
    .fields = tool_fields, .count = COUNT_OF(tool_fields), .one_of = true};
static const struct shape_field named_fields[] = {SHAPE_TEXT("name", NEEDED)};
static const struct shape named_shape = SHAPE_OF(named_fields);
static const struct shape empty_shape = {.count = 0};
static const struct shape_field choice_fields[] = {
    SHAPE_MEMBERS("auto", OPTIONAL, &empty_shape),
    SHAPE_MEMBERS("any", OPTIONAL, &empty_shape),
    SHAPE_MEMBERS("tool", OPTIONAL, &named_shape),
};
static const struct shape choice_shape = {
    .fields = choice_fields, .count = COUNT_OF(choice_fields), .one_of = true};
static const struct shape_field tool_config_fields[] = {
    {.name = "tools",
     .types = SHAPE_ARRAY,
     .items = SHAPE_OBJECT,
     .needed = true,
     .min = 1,
     .shape = &tool_shape},
    SHAPE_MEMBERS("toolChoice", OPTIONAL, &choice_shape),
};
static const struct shape tool_config_shape = SHAPE_OF(tool_config_fields);

static const struct shape_field inference_fields[] = {
    SHAPE_COUNT("maxTokens", OPTIONAL, 1, 1 << 30),
    SHAPE_DECIMAL("temperature", 0, 1),
    SHAPE_DECIMAL("topP", 0, 1),
    {.name = "stopSequences", .types = SHAPE_ARRAY, .items = SHAPE_STRING, .max = 2500},
};
static const struct shape inference_shape = SHAPE_OF(inference_fields);
static const struct shape_field guardrail_fields[] = {
    SHAPE_TEXT("guardrailIdentifier", NEEDED),
    SHAPE_TEXT("guardrailVersion", NEEDED),
    SHAPE_ENUM("trace", OPTIONAL, "enabled|disabled|enabled_full"),
    SHAPE_ENUM("streamProcessingMode", OPTIONAL, "sync|async"),
};
static const struct shape guardrail_shape = SHAPE_OF(guardrail_fields);
static const struct shape_field performance_fields[] = {
    SHAPE_ENUM("latency", OPTIONAL, "standard|optimized"),
};
static const struct shape performance_shape = SHAPE_OF(performance_fields);
static const struct shape_field tier_fields[] = {
    SHAPE_ENUM("type", NEEDED, "priority|default|flex|reserved"),
};
static const struct shape tier_shape = SHAPE_OF(tier_fields);
static const struct shape_field json_schema_fields[] = {
    SHAPE_TEXT("schema", NEEDED),
    SHAPE_TEXT("name", OPTIONAL),
    SHAPE_TEXT("description", OPTIONAL),
};
static const struct shape json_schema_shape = SHAPE_OF(json_schema_fields);
static const struct shape_field structure_fields[] = {
    SHAPE_MEMBERS("jsonSchema", NEEDED, &json_schema_shape),
};
static const struct shape structure_shape = SHAPE_OF(structure_fields);
static const struct shape_field format_fields[] = {
    SHAPE_ENUM("type", NEEDED, "json_schema"),
    SHAPE_MEMBERS("structure", NEEDED, &structure_shape),
};
static const struct shape format_shape = SHAPE_OF(format_fields);
static const struct shape_field output_fields[] = {
    SHAPE_MEMBERS("textFormat", OPTIONAL, &format_shape),
    SHAPE_TEXT("effort", OPTIONAL),
};
static const struct shape output_shape = SHAPE_OF(output_fields);

#define FIELDS_PROMPT                                                                              \
    SHAPE_LIST("messages", OPTIONAL, SHAPE_OBJECT, &message_shape),                                \
        SHAPE_LIST("system", OPTIONAL, SHAPE_OBJECT, &system_shape),                               \
        SHAPE_MEMBERS("toolConfig", OPTIONAL, &tool_config_shape),                                 \
        SHAPE_MEMBERS("additionalModelRequestFields", OPTIONAL, NULL)

static const struct shape_field converse_fields[] = {
    FIELDS_PROMPT,
    SHAPE_MEMBERS("inferenceConfig", OPTIONAL, &inference_shape),
    SHAPE_MEMBERS("guardrailConfig", OPTIONAL, &guardrail_shape),
    SHAPE_MEMBERS("promptVariables", OPTIONAL, NULL),
    SHAPE_LIST("additionalModelResponseFieldPaths", OPTIONAL, SHAPE_STRING, NULL),
    SHAPE_MEMBERS("requestMetadata", OPTIONAL, NULL),
    SHAPE_MEMBERS("performanceConfig", OPTIONAL, &performance_shape),
    SHAPE_MEMBERS("serviceTier", OPTIONAL, &tier_shape),
    SHAPE_MEMBERS("outputConfig", OPTIONAL, &output_shape),
};
const struct shape converse_shape = SHAPE_OF(converse_fields);

static const struct shape_field tokens_fields[] = {FIELDS_PROMPT};
const struct shape converse_tokens_shape = SHAPE_OF(tokens_fields);
