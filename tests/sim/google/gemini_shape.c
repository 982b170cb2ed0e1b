/* gemini_shape.c: the body of generateContent as tables (shape.h). Source: the API reference and
 * the SDK's types.
 *
 * parameters and responseSchema are Google's own Schema, of which JSON Schema's $ref, $defs, const,
 * oneOf and additionalProperties are no part; parametersJsonSchema and responseJsonSchema take any
 * JSON Schema.
 */
#include "tests/sim/google/gemini.h"

#define NEEDED   true
#define OPTIONAL false

static const struct shape_field blob_fields[] = {
    SHAPE_TEXT("mimeType", NEEDED),
    SHAPE_TEXT("data", NEEDED),
    SHAPE_TEXT("displayName", OPTIONAL),
};
static const struct shape blob_shape = SHAPE_OF(blob_fields);
static const struct shape_field file_fields[] = {
    SHAPE_TEXT("mimeType", OPTIONAL),
    SHAPE_TEXT("fileUri", NEEDED),
    SHAPE_TEXT("displayName", OPTIONAL),
};
static const struct shape file_shape = SHAPE_OF(file_fields);
static const struct shape_field call_fields[] = {
    SHAPE_TEXT("id", OPTIONAL),
    SHAPE_TEXT("name", NEEDED),
    SHAPE_MEMBERS("args", OPTIONAL, NULL),
};
static const struct shape call_shape = SHAPE_OF(call_fields);
static const struct shape_field response_fields[] = {
    SHAPE_TEXT("id", OPTIONAL),
    SHAPE_TEXT("name", NEEDED),
    SHAPE_MEMBERS("response", NEEDED, NULL),
    SHAPE_LIST("parts", OPTIONAL, SHAPE_OBJECT, NULL),
    SHAPE_FLAG("willContinue"),
    SHAPE_TEXT("scheduling", OPTIONAL),
};
static const struct shape response_shape = SHAPE_OF(response_fields);
static const struct shape_field code_fields[] = {
    SHAPE_TEXT("id", OPTIONAL),
    SHAPE_TEXT("language", NEEDED),
    SHAPE_TEXT("code", NEEDED),
};
static const struct shape code_shape = SHAPE_OF(code_fields);
static const struct shape_field code_result_fields[] = {
    SHAPE_TEXT("id", OPTIONAL),
    SHAPE_TEXT("outcome", NEEDED),
    SHAPE_TEXT("output", OPTIONAL),
};
static const struct shape code_result_shape = SHAPE_OF(code_result_fields);
static const struct shape_field part_fields[] = {
    SHAPE_TEXT("text", OPTIONAL),
    SHAPE_MEMBERS("inlineData", OPTIONAL, &blob_shape),
    SHAPE_MEMBERS("fileData", OPTIONAL, &file_shape),
    SHAPE_MEMBERS("functionCall", OPTIONAL, &call_shape),
    SHAPE_MEMBERS("functionResponse", OPTIONAL, &response_shape),
    SHAPE_MEMBERS("executableCode", OPTIONAL, &code_shape),
    SHAPE_MEMBERS("codeExecutionResult", OPTIONAL, &code_result_shape),
    SHAPE_FLAG("thought"),
    SHAPE_TEXT("thoughtSignature", OPTIONAL),
    SHAPE_MEMBERS("videoMetadata", OPTIONAL, NULL),
    SHAPE_MEMBERS("mediaResolution", OPTIONAL, NULL),
    SHAPE_MEMBERS("partMetadata", OPTIONAL, NULL),
};
static const struct shape part_shape = SHAPE_OF(part_fields);
static const struct shape_field content_fields[] = {
    SHAPE_TEXT("role", OPTIONAL),
    SHAPE_LIST("parts", OPTIONAL, SHAPE_OBJECT, &part_shape),
};
const struct shape gemini_content_shape = SHAPE_OF(content_fields);

static const struct shape schema_shape;
#define COUNT_FIELD(n)                                                                             \
    {                                                                                              \
        .name = (n), .types = SHAPE_STRING | SHAPE_INTEGER                                         \
    }
static const struct shape_field schema_fields[] = {
    SHAPE_ENUM("type", OPTIONAL,
               "STRING|NUMBER|INTEGER|BOOLEAN|ARRAY|OBJECT|NULL|TYPE_UNSPECIFIED|string|number|"
               "integer|boolean|array|object|null"),
    SHAPE_TEXT("format", OPTIONAL),
    SHAPE_TEXT("title", OPTIONAL),
    SHAPE_TEXT("description", OPTIONAL),
    SHAPE_FLAG("nullable"),
    SHAPE_LIST("enum", OPTIONAL, SHAPE_STRING, NULL),
    SHAPE_MEMBERS("items", OPTIONAL, &schema_shape),
    {.name = "properties", .types = SHAPE_OBJECT, .shape = &schema_shape, .map = true},
    SHAPE_LIST("required", OPTIONAL, SHAPE_STRING, NULL),
    SHAPE_LIST("propertyOrdering", OPTIONAL, SHAPE_STRING, NULL),
    SHAPE_LIST("anyOf", OPTIONAL, SHAPE_OBJECT, &schema_shape),
    COUNT_FIELD("minItems"),
    COUNT_FIELD("maxItems"),
    COUNT_FIELD("minLength"),
    COUNT_FIELD("maxLength"),
    COUNT_FIELD("minProperties"),
    COUNT_FIELD("maxProperties"),
    SHAPE_TEXT("pattern", OPTIONAL),
    {.name = "minimum", .types = SHAPE_NUMBER},
    {.name = "maximum", .types = SHAPE_NUMBER},
    {.name = "default", .types = SHAPE_ANY},
    {.name = "example", .types = SHAPE_ANY},
};
static const struct shape schema_shape = SHAPE_OF(schema_fields);

static const struct shape_field declaration_fields[] = {
    SHAPE_TEXT("name", NEEDED),
    SHAPE_TEXT("description", OPTIONAL),
    SHAPE_MEMBERS("parameters", OPTIONAL, &schema_shape),
    {.name = "parametersJsonSchema", .types = SHAPE_ANY},
    SHAPE_MEMBERS("response", OPTIONAL, &schema_shape),
    {.name = "responseJsonSchema", .types = SHAPE_ANY},
    SHAPE_TEXT("behavior", OPTIONAL),
};
static const struct shape declaration_shape = SHAPE_OF(declaration_fields);
static const struct shape_field tool_fields[] = {
    SHAPE_LIST("functionDeclarations", OPTIONAL, SHAPE_OBJECT, &declaration_shape),
    SHAPE_MEMBERS("googleSearch", OPTIONAL, NULL),
    SHAPE_MEMBERS("googleSearchRetrieval", OPTIONAL, NULL),
    SHAPE_MEMBERS("codeExecution", OPTIONAL, NULL),
    SHAPE_MEMBERS("urlContext", OPTIONAL, NULL),
    SHAPE_MEMBERS("computerUse", OPTIONAL, NULL),
    SHAPE_MEMBERS("googleMaps", OPTIONAL, NULL),
    SHAPE_MEMBERS("fileSearch", OPTIONAL, NULL),
    SHAPE_MEMBERS("enterpriseWebSearch", OPTIONAL, NULL),
    SHAPE_MEMBERS("retrieval", OPTIONAL, NULL),
};
static const struct shape tool_shape = SHAPE_OF(tool_fields);
static const struct shape_field calling_fields[] = {
    SHAPE_ENUM("mode", OPTIONAL, "MODE_UNSPECIFIED|AUTO|ANY|NONE|VALIDATED"),
    SHAPE_LIST("allowedFunctionNames", OPTIONAL, SHAPE_STRING, NULL),
};
static const struct shape calling_shape = SHAPE_OF(calling_fields);
static const struct shape_field tool_config_fields[] = {
    SHAPE_MEMBERS("functionCallingConfig", OPTIONAL, &calling_shape),
    SHAPE_MEMBERS("retrievalConfig", OPTIONAL, NULL),
    SHAPE_FLAG("includeServerSideToolInvocations"),
};
static const struct shape tool_config_shape = SHAPE_OF(tool_config_fields);

static const struct shape_field thinking_fields[] = {
    SHAPE_FLAG("includeThoughts"),
    SHAPE_COUNT("thinkingBudget", OPTIONAL, -1, 32768),
    SHAPE_ENUM("thinkingLevel", OPTIONAL,
               "MINIMAL|LOW|MEDIUM|HIGH|minimal|low|medium|high|THINKING_LEVEL_UNSPECIFIED"),
};
static const struct shape thinking_shape = SHAPE_OF(thinking_fields);
static const struct shape_field image_fields[] = {
    SHAPE_ENUM("aspectRatio", OPTIONAL, "1:1|2:3|3:2|3:4|4:3|4:5|5:4|9:16|16:9|21:9"),
    SHAPE_ENUM("imageSize", OPTIONAL, "1K|2K|4K"),
    SHAPE_TEXT("personGeneration", OPTIONAL),
    SHAPE_MEMBERS("imageOutputOptions", OPTIONAL, NULL),
};
static const struct shape image_shape = SHAPE_OF(image_fields);
static const struct shape_field config_fields[] = {
    SHAPE_DECIMAL("temperature", 0, 2),
    SHAPE_DECIMAL("topP", 0, 1),
    {.name = "topK", .types = SHAPE_NUMBER, .min = SHAPE_MICRO, .max = (int64_t)64 * SHAPE_MICRO},
    SHAPE_COUNT("candidateCount", OPTIONAL, 1, 8),
    SHAPE_COUNT("maxOutputTokens", OPTIONAL, 1, 65536),
    {.name = "stopSequences", .types = SHAPE_ARRAY, .items = SHAPE_STRING, .max = 5},
    SHAPE_DECIMAL("presencePenalty", -2, 2),
    SHAPE_DECIMAL("frequencyPenalty", -2, 2),
    SHAPE_COUNT("seed", OPTIONAL, INT32_MIN, INT32_MAX),
    SHAPE_FLAG("responseLogprobs"),
    SHAPE_COUNT("logprobs", OPTIONAL, 0, 20),
    SHAPE_ENUM("responseMimeType", OPTIONAL, "text/plain|application/json|text/x.enum"),
    SHAPE_MEMBERS("responseSchema", OPTIONAL, &schema_shape),
    {.name = "responseJsonSchema", .types = SHAPE_ANY},
    {.name = "responseModalities", .types = SHAPE_ARRAY, .items = SHAPE_STRING},
    SHAPE_TEXT("mediaResolution", OPTIONAL),
    SHAPE_MEMBERS("speechConfig", OPTIONAL, NULL),
    SHAPE_MEMBERS("thinkingConfig", OPTIONAL, &thinking_shape),
    SHAPE_MEMBERS("imageConfig", OPTIONAL, &image_shape),
    SHAPE_FLAG("enableEnhancedCivicAnswers"),
    SHAPE_FLAG("audioTimestamp"),
    SHAPE_MEMBERS("routingConfig", OPTIONAL, NULL),
};
static const struct shape config_shape = SHAPE_OF(config_fields);
static const struct shape_field safety_fields[] = {
    SHAPE_ENUM("category", NEEDED,
               "HARM_CATEGORY_HARASSMENT|HARM_CATEGORY_HATE_SPEECH|HARM_CATEGORY_SEXUALLY_EXPLICIT|"
               "HARM_CATEGORY_DANGEROUS_CONTENT|HARM_CATEGORY_CIVIC_INTEGRITY|"
               "HARM_CATEGORY_JAILBREAK"),
    SHAPE_ENUM("threshold", NEEDED,
               "BLOCK_LOW_AND_ABOVE|BLOCK_MEDIUM_AND_ABOVE|BLOCK_ONLY_HIGH|BLOCK_NONE|OFF|"
               "HARM_BLOCK_THRESHOLD_UNSPECIFIED"),
    SHAPE_TEXT("method", OPTIONAL),
};
static const struct shape safety_shape = SHAPE_OF(safety_fields);

#define FIELDS_BODY                                                                                \
    SHAPE_LIST("contents", OPTIONAL, SHAPE_OBJECT, &gemini_content_shape),                         \
        SHAPE_MEMBERS("systemInstruction", OPTIONAL, &gemini_content_shape),                       \
        SHAPE_MEMBERS("generationConfig", OPTIONAL, &config_shape),                                \
        SHAPE_LIST("safetySettings", OPTIONAL, SHAPE_OBJECT, &safety_shape),                       \
        SHAPE_LIST("tools", OPTIONAL, SHAPE_OBJECT, &tool_shape),                                  \
        SHAPE_MEMBERS("toolConfig", OPTIONAL, &tool_config_shape),                                 \
        SHAPE_TEXT("cachedContent", OPTIONAL), SHAPE_MEMBERS("labels", OPTIONAL, NULL),            \
        SHAPE_TEXT("model", OPTIONAL), SHAPE_TEXT("serviceTier", OPTIONAL), SHAPE_FLAG("store")

static const struct shape_field body_fields[] = {FIELDS_BODY};
const struct shape gemini_shape = SHAPE_OF(body_fields);

static const struct shape_field count_fields[] = {
    FIELDS_BODY,
    SHAPE_MEMBERS("generateContentRequest", OPTIONAL, &gemini_shape),
    SHAPE_LIST("instances", OPTIONAL, SHAPE_OBJECT, NULL),
};
const struct shape gemini_count_shape = SHAPE_OF(count_fields);
