/* Requests: OpenAI's chat in, Anthropic's body out. Each row is named for what broke elsewhere or
 * what it holds. */
#include "tests/unit/data-plane/dialect/dialect_run.h"

#include "data-plane/dialect/back_anthropic.h"

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define HI         "\"messages\":[" USER("hi") "]"
#define HI_OUT                                                                                     \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]"
#define TOOL(name)                                                                                 \
    "{\"type\":\"function\",\"function\":{\"name\":\"" name                                        \
    "\",\"parameters\":{\"type\":\"object\",\"properties\":{\"q\":{\"type\":\"string\"}},"         \
    "\"additionalProperties\":false}}}"
#define TOOL_OUT(name)                                                                             \
    "{\"name\":\"" name "\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"q\":{"         \
                        "\"type\":\"string\"}},\"additionalProperties\":false}}"
#define HEAD      "{\"model\":\"M\",\"max_tokens\":64000,"
#define HEAD_N(n) "{\"model\":\"M\",\"max_tokens\":" #n ","

static const struct {
    const char *name, *model, *in, *out, *dropped;
} rows[] = {
    {"max_tokens comes from the catalog", "M", "{" HI "}", HEAD HI_OUT "}", ""},
    {"max_tokens is the caller's", "M", "{" HI ",\"max_tokens\":7}", HEAD_N(7) HI_OUT "}", ""},
    {"max_completion_tokens wins", "M", "{" HI ",\"max_tokens\":7,\"max_completion_tokens\":9}",
     HEAD_N(9) HI_OUT "}", ""},
    {"max_tokens must count", "M", "{" HI ",\"max_tokens\":0}",
     "400: max_tokens: must be a whole number from 1.", ""},
    {"a stream is asked for", "M", "{" HI ",\"stream\":true}",
     "{\"model\":\"M\",\"stream\":true,\"max_tokens\":64000," HI_OUT "}", ""},
    {"several system messages keep their order, wherever they stand", "M",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"}," USER("hi") ",{\"role\":"
                                                                          "\"developer\","
                                                                          "\"content\":[{\"type\":"
                                                                          "\"text\",\"text\":\"b\"}"
                                                                          "]}," USER("ho") "]}",
     HEAD "\"system\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}],"
          "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"},{"
          "\"type\":\"text\",\"text\":\"ho\"}]}]}",
     ""},
    {"a model that takes system messages inside gets them inside", "claude-opus-4-8",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"}," USER(
         "hi") ",{\"role\":\"assistant\",\"content\":\"yo\"},{\"role\":\"system\",\"content\":"
               "\"b\"}," USER("ho") "]}",
     "{\"model\":\"claude-opus-4-8\",\"max_tokens\":64000,\"system\":[{\"type\":\"text\",\"text\":"
     "\"a\"}],\"messages\":["
     "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":"
     "\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"yo\"}]},"
     "{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":\"user\","
     "\"content\":[{\"type\":\"text\",\"text\":\"ho\"}]}]}",
     ""},
    {"words pass as they stand, escapes and all", "M",
     "{\"messages\":[" USER("\\u0000 \\\"q\\\" \xC3\xA9 \\ud83d\\ude00") "]}",
     HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\\u0000 "
          "\\\"q\\\" \xC3\xA9 \\ud83d\\ude00\"}]}]}",
     ""},
    {"BUG stop as a string was not wrapped", "M", "{" HI ",\"stop\":\"END\"}",
     HEAD HI_OUT ",\"stop_sequences\":[\"END\"]}", ""},
    {"stop as a list", "M", "{" HI ",\"stop\":[\"a\",\"b\"]}",
     HEAD HI_OUT ",\"stop_sequences\":[\"a\",\"b\"]}", ""},
    {"BUG temperature was clamped silently", "M", "{" HI ",\"temperature\":1.2}",
     "400: temperature: provider @prod (anthropic) takes 0 to 1. Send a value in that range.", ""},
    {"temperature passes as text", "M", "{" HI ",\"temperature\":0.70,\"top_p\":0.5,\"top_k\":5}",
     HEAD HI_OUT ",\"temperature\":0.70,\"top_p\":0.5,\"top_k\":5}", ""},
    {"temperature or top_p, where the model takes one of them", "claude-sonnet-4-5",
     "{" HI ",\"temperature\":0.7,\"top_p\":0.5}",
     "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000," HI_OUT ",\"temperature\":0.7}",
     "top_p"},
    {"plain values ask for nothing", "M",
     "{" HI ",\"temperature\":1.0,\"top_p\":1,\"n\":1,\"presence_penalty\":0.0,\"frequency_"
            "penalty\":0,\"logprobs\":false,\"logit_bias\":{},\"store\":false,\"tools\":[],"
     "\"modalities\":[\"text\"],\"seed\":null,\"response_format\":{\"type\":\"text\"},\"parallel_"
     "tool_calls\":true}",
     HEAD HI_OUT "}", ""},
    {"what cannot be honoured is listed", "M",
     "{" HI ",\"seed\":1,\"logit_bias\":{\"1\":2},\"presence_penalty\":0.1,\"store\":true,"
            "\"metadata\":{\"a\":\"b\"},\"verbosity\":\"low\",\"nonsense, \\r\\n\":1}",
     HEAD HI_OUT "}",
     "seed, presence_penalty, logit_bias, verbosity, metadata, store, nonsense????"},
    {"n is refused with a remedy", "M", "{" HI ",\"n\":2}",
     "400: n: provider @prod (anthropic) cannot honour it. It gives one answer to a request: send "
     "n requests.",
     ""},
    {"logprobs are refused", "M", "{" HI ",\"logprobs\":true}",
     "400: logprobs: provider @prod (anthropic) cannot honour it. Leave logprobs out, or name a "
     "model whose provider has them.",
     ""},
    {"audio out is refused", "M", "{" HI ",\"modalities\":[\"text\",\"audio\"]}",
     "400: modalities: provider @prod (anthropic) cannot honour it. It answers in text only: leave "
     "modalities out.",
     ""},
    {"the user is metadata", "M", "{" HI ",\"user\":\"u1\"}",
     HEAD HI_OUT ",\"metadata\":{\"user_id\":\"u1\"}}", ""},
    {"the safety identifier comes before the user", "M",
     "{" HI ",\"user\":\"u1\",\"safety_identifier\":\"s\"}",
     HEAD HI_OUT ",\"metadata\":{\"user_id\":\"s\"}}", "user"},
    {"service tiers", "M", "{" HI ",\"service_tier\":\"default\"}",
     HEAD HI_OUT ",\"service_tier\":\"standard_only\"}", ""},
    {"a tier that is not there", "M", "{" HI ",\"service_tier\":\"flex\"}", HEAD HI_OUT "}",
     "service_tier"},
    {"BUG the provider's own members were lost", "M",
     "{" HI ",\"context_management\":{\"edits\":[]},\"cache_control\":{\"type\":\"ephemeral\"},"
            "\"thinking\":{\"type\":\"disabled\"}}",
     HEAD HI_OUT ",\"context_management\":{\"edits\":[]},\"cache_control\":{\"type\":\"ephemeral\"}"
                 ",\"thinking\":{\"type\":\"disabled\"}}",
     ""},
    /* --- tools */
    {"BUG schema keywords were lost", "M", "{" HI ",\"tools\":[" TOOL("f") "]}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("f") "]}", ""},
    {"a schema without type is an object", "M",
     "{" HI
     ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
     "\"parameters\":{\"$defs\":{}}}},{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}",
     HEAD HI_OUT
     ",\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\",\"$"
     "defs\":{}}},{\"name\":\"g\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}}]}",
     ""},
    {"the provider's own tools pass", "M",
     "{" HI
     ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":2}]}",
     HEAD HI_OUT
     ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":2}]}",
     ""},
    {"custom tools are refused", "M",
     "{" HI ",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"x\"}}]}",
     "400: tools[0]: provider @prod (anthropic) does not take custom tools. Describe it as a "
     "function.",
     ""},
    {"cache marks and strict tools", "claude-sonnet-4-5",
     "{" HI ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":true,"
            "\"parameters\":{\"type\":\"object\"}},\"cache_control\":{\"type\":\"ephemeral\","
            "\"ttl\":\"1h\"}}]}",
     "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000," HI_OUT
     ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"},\"strict\":true,\"cache_"
     "control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}]}",
     ""},
    {"tool_choice required", "M", "{" HI ",\"tools\":[" TOOL("f") "],\"tool_choice\":\"required\"}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("f") "],\"tool_choice\":{\"type\":\"any\"}}", ""},
    {"tool_choice none", "M",
     "{" HI ",\"tools\":[" TOOL("f") "],\"tool_choice\":\"none\",\"parallel_tool_calls\":false}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("f") "],\"tool_choice\":{\"type\":\"none\"}}", ""},
    {"a named tool, one call at a time", "M",
     "{" HI ",\"tools\":[" TOOL("f") "],\"tool_choice\":{\"type\":\"function\",\"function\":{"
                                     "\"name\":\"f\"}},\"parallel_tool_calls\":false}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("f") "],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\","
                                              "\"disable_parallel_tool_use\":true}}",
     ""},
    {"BUG parallel_tool_calls was dropped", "M",
     "{" HI ",\"tools\":[" TOOL("f") "],\"parallel_tool_calls\":false}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT(
         "f") "],\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}}",
     ""},
    {"a choice without tools is no choice", "M", "{" HI ",\"tool_choice\":\"auto\"}",
     HEAD HI_OUT "}", ""},
    {"allowed tools only", "M",
     "{" HI ",\"tools\":[" TOOL("f") "," TOOL(
         "g") "],\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":"
              "\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}}}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("g") "],\"tool_choice\":{\"type\":\"any\"}}", ""},
    {"functions are tools, one call at a time", "M",
     "{" HI ",\"functions\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}],\"function_"
            "call\":{\"name\":\"f\"}}",
     HEAD HI_OUT ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],\"tool_"
                 "choice\":{\"type\":\"tool\",\"name\":\"f\",\"disable_parallel_tool_use\":true}}",
     ""},
    {"web search", "M",
     "{" HI ",\"web_search_options\":{\"search_context_size\":\"low\",\"user_location\":{\"type\":"
            "\"approximate\",\"approximate\":{\"city\":\"Rome\",\"country\":\"IT\"}}}}",
     HEAD HI_OUT ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"user_"
                 "location\":{\"type\":\"approximate\",\"city\":\"Rome\",\"country\":\"IT\"}}]}",
     "web_search_options.search_context_size"},
    /* --- tool turns */
    {"BUG results of parallel calls were separate turns, which broke every tool loop", "M",
     "{\"messages\":[" USER("hi") ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{"
                                  "\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                                  "\"arguments\":\"{\\\"q\\\": \\\"x\\\"}\"}},"
                                  "{\"id\":\"functions.g:1\",\"type\":\"function\",\"function\":{"
                                  "\"name\":\"g\",\"arguments\":\"\"}}]},{\"role\":\"tool\",\"tool_"
                                  "call_id\":\"a\",\"content\":\"1\"},"
                                  "{\"role\":\"tool\",\"tool_call_id\":\"functions.g:1\","
                                  "\"content\":[{\"type\":\"text\",\"text\":\"2\"}]}," USER(
                                      "so?") "]}",
     HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{"
          "\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\","
          "\"input\":{\"q\": \"x\"}},"
          "{\"type\":\"tool_use\",\"id\":\"functions_g_1\",\"name\":\"g\",\"input\":{}}]},{"
          "\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"a\","
          "\"content\":[{\"type\":\"text\",\"text\":\"1\"}]},"
          "{\"type\":\"tool_result\",\"tool_use_id\":\"functions_g_1\",\"content\":[{\"type\":"
          "\"text\",\"text\":\"2\"}]},{\"type\":\"text\",\"text\":\"so?\"}]}]}",
     ""},
    {"results come first in their turn", "M",
     "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}," USER(
         "wait") ",{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":\"\"}]}",
     HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\","
          "\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_"
          "result\",\"tool_use_id\":\"a\"},{\"type\":\"text\",\"text\":\"wait\"}]}]}",
     ""},
    {"BUG arguments that are no JSON were a 500", "M",
     "{\"messages\":[" USER(
         "hi") ",{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
               "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"q\\\":\"}}]}]}",
     "400: messages[1].tool_calls[0]: provider @prod (anthropic) does not take arguments that are "
     "no JSON object. Send the call as the model made it.",
     ""},
    {"function messages answer function_call", "M",
     "{\"messages\":[" USER(
         "hi") ",{\"role\":\"assistant\",\"content\":null,\"function_call\":{\"name\":\"f\","
               "\"arguments\":\"{}\"}},{\"role\":\"function\",\"name\":\"f\",\"content\":\"1\"}]}",
     HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{"
          "\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"call_1\",\"name\":"
          "\"f\",\"input\":{}}]},"
          "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call_1\","
          "\"content\":[{\"type\":\"text\",\"text\":\"1\"}]}]}]}",
     ""},
    {"blank words are left out, an assistant who said nothing as well", "M",
     "{\"messages\":[" USER("hi") ",{\"role\":\"assistant\",\"content\":\" \\n\\t\"}," USER(
         "ho") "]}",
     HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{"
          "\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"ho\"}]}]}",
     ""},
    /* --- media */
    {"images as data and as URL, cache marks kept whole", "M",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
     "\"url\":\"data:image\\/png;base64,AA\\/"
     "+\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/"
     "y.png\",\"detail\":\"auto\"},\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}]}]}",
     HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":"
          "\"base64\",\"media_type\":\"image/png\",\"data\":\"AA/+\"}},"
          "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://x/"
          "y.png\"},\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}]}]}",
     ""},
    {"a closer look cannot be asked for", "M",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
     "\"url\":\"data:image/jpg;base64,AA==\",\"detail\":\"high\"}}]}]}",
     HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":"
          "\"base64\",\"media_type\":\"image/jpeg\",\"data\":\"AA==\"}}]}]}",
     "image_url.detail"},
    {"a data URL without base64", "M",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
     "\"url\":\"data:image/png,abc\"}}]}]}",
     "400: messages[0].content[0]: a data URL must be base64: data:<type>;base64,<data>.", ""},
    {"documents", "M",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"filename\":\"a."
     "pdf\",\"file_data\":\"data:application/"
     "pdf;base64,JVBERg==\"}},{\"type\":\"file\",\"file\":{\"file_data\":\"JVBERg==\"}},"
     "{\"type\":\"file\",\"file\":{\"file_data\":\"data:text/"
     "plain;base64,YSJiCg==\",\"filename\":\"t.txt\"}},{\"type\":\"file\",\"file\":{\"file_id\":"
     "\"file_1\"}},{\"type\":\"file\",\"file\":{\"file_url\":\"https://x/d.pdf\"}}]}]}",
     HEAD
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":"
     "\"base64\",\"media_type\":\"application/pdf\",\"data\":\"JVBERg==\"},\"title\":\"a.pdf\"},"
     "{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/"
     "pdf\",\"data\":\"JVBERg==\"}},{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_"
     "type\":\"text/plain\",\"data\":\"a\\\"b\\n\"},\"title\":\"t.txt\"},"
     "{\"type\":\"document\",\"source\":{\"type\":\"file\",\"file_id\":\"file_1\"}},{\"type\":"
     "\"document\",\"source\":{\"type\":\"url\",\"url\":\"https://x/d.pdf\"}}]}]}",
     ""},
    {"audio is refused by its place", "M",
     "{\"messages\":[" USER("a") ",{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\","
                                 "\"input_audio\":{\"data\":\"AA\",\"format\":\"wav\"}}]}]}",
     "400: messages[1].content[0]: provider @prod (anthropic) does not take audio. Send text, "
     "image_url, file (PDF or plain text) or tool parts.",
     ""},
    {"a text file that is none", "M",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_data\":"
     "\"data:text/plain;base64,!!!\"}}]}]}",
     "400: messages[0].content[0]: provider @prod (anthropic) does not take this text file. Send "
     "base64 of UTF-8 text, or the words as a text part.",
     ""},
    /* --- JSON answers */
    {"a strict schema is the provider's own format", "claude-sonnet-4-5",
     "{" HI ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\","
            "\"strict\":true,\"schema\":{\"type\":\"object\",\"additionalProperties\":false}}}}",
     "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000," HI_OUT
     ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\","
     "\"additionalProperties\":false}}}}",
     ""},
    {"a schema without strict is a tool that must be called", "claude-sonnet-4-5",
     "{" HI ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\","
            "\"description\":\"d\",\"schema\":{\"type\":\"object\"}}}}",
     "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000," HI_OUT
     ",\"tools\":[{\"name\":\"json_response\",\"description\":\"d\",\"input_schema\":{\"type\":"
     "\"object\"}}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"json_response\"}}",
     ""},
    {"an older model answers by a tool, beside the caller's", "M",
     "{" HI ",\"tools\":[" TOOL("f") "],\"response_format\":{\"type\":\"json_object\"}}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("f") ",{\"name\":\"json_response\",\"description\":\"Give "
                                              "your whole answer to the user by calling this "
                                              "tool.\",\"input_schema\":{\"type\":\"object\"}}],"
                                              "\"tool_choice\":{\"type\":\"any\"}}",
     ""},
    {"a forced call answers instead of JSON", "M",
     "{" HI ",\"tools\":[" TOOL(
         "f") "],\"tool_choice\":\"required\",\"response_format\":{\"type\":\"json_object\"}}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("f") "],\"tool_choice\":{\"type\":\"any\"}}", ""},
    {"the tool's name is taken", "M",
     "{" HI
     ",\"tools\":[" TOOL("json_response") "],\"response_format\":{\"type\":\"json_object\"}}",
     "400: tools[0].function.name: json_response is the tool that provider @prod answers JSON "
     "with. Rename yours.",
     ""},
    {"a model without forced tools takes schemas only", "claude-opus-5-5",
     "{" HI ",\"response_format\":{\"type\":\"json_object\"}}",
     "400: response_format: the model claude-opus-5-5 takes a JSON schema only. Send json_schema "
     "with strict true.",
     ""},
    /* --- thinking */
    {"effort is a share of max_tokens", "M",
     "{" HI ",\"max_tokens\":10000,\"reasoning_effort\":\"medium\"}",
     HEAD_N(10000) HI_OUT ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5000}}", ""},
    {"effort has a least and a most", "M",
     "{" HI ",\"reasoning_effort\":\"high\",\"temperature\":0.2}",
     HEAD HI_OUT ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":32000}}", "temperature"},
    {"effort that has no room", "M", "{" HI ",\"max_tokens\":1024,\"reasoning_effort\":\"high\"}",
     HEAD_N(1024) HI_OUT "}", "reasoning_effort"},
    {"effort of a model that cannot", "claude-3-5-haiku-20241022",
     "{" HI ",\"reasoning_effort\":\"low\"}",
     "{\"model\":\"claude-3-5-haiku-20241022\",\"max_tokens\":64000," HI_OUT "}",
     "reasoning_effort"},
    {"minimal is low there, and listed", "claude-opus-4-8",
     "{" HI ",\"reasoning_effort\":\"minimal\"}",
     "{\"model\":\"claude-opus-4-8\",\"max_tokens\":64000," HI_OUT
     ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},\"output_config\":{"
     "\"effort\":\"low\"}}",
     "reasoning_effort"},
    {"effort is a word for models that adapt; one that they lack is lowered, and listed",
     "claude-opus-4-6", "{" HI ",\"reasoning_effort\":\"xhigh\"}",
     "{\"model\":\"claude-opus-4-6\",\"max_tokens\":64000," HI_OUT
     ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},\"output_config\":{"
     "\"effort\":\"high\"}}",
     "reasoning_effort"},
    {"no effort turns thinking off", "claude-opus-4-6", "{" HI ",\"reasoning_effort\":\"none\"}",
     "{\"model\":\"claude-opus-4-6\",\"max_tokens\":64000," HI_OUT
     ",\"thinking\":{\"type\":\"disabled\"}}",
     ""},
    {"a forced tool and thinking exclude each other", "M",
     "{" HI ",\"tools\":[" TOOL("f") "],\"tool_choice\":\"required\",\"reasoning_effort\":\"low\"}",
     HEAD HI_OUT ",\"tools\":[" TOOL_OUT("f") "],\"tool_choice\":{\"type\":\"any\"}}",
     "reasoning_effort"},
    {"models without sampling", "claude-opus-4-7", "{" HI ",\"temperature\":0.2,\"top_p\":1}",
     "{\"model\":\"claude-opus-4-7\",\"max_tokens\":64000," HI_OUT "}", "temperature"},
    {"BUG signed thinking was lost between the turns of a tool loop", "M",
     "{\"reasoning_effort\":\"low\",\"max_tokens\":9000,\"messages\":[" USER(
         "hi") ",{\"role\":\"assistant\",\"content\":\"x\",\"reasoning_content\":\"t\",\"reasoning_"
               "details\":["
               "{\"type\":\"reasoning.text\",\"text\":\"t\",\"signature\":\"SIG==\",\"format\":"
               "\"anthropic-claude-v1\",\"index\":0},{\"type\":\"reasoning.encrypted\",\"data\":"
               "\"ENC\",\"index\":1}],"
               "\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
               "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":"
               "\"1\"}]}",
     HEAD_N(9000) "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
                  "\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
                  "\"thinking\":\"t\",\"signature\":\"SIG==\"},"
                  "{\"type\":\"redacted_thinking\",\"data\":\"ENC\"},{\"type\":\"text\",\"text\":"
                  "\"x\"},{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{}}]},"
                  "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"a\","
                  "\"content\":[{\"type\":\"text\",\"text\":\"1\"}]}]}],\"thinking\":{\"type\":"
                  "\"enabled\",\"budget_tokens\":1800}}",
     ""},
    {"BUG unsigned or others' thinking became text", "M",
     "{\"messages\":[" USER("hi") ",{\"role\":\"assistant\",\"content\":\"x\",\"reasoning_"
                                  "content\":\"t\"}," USER(
                                      "a") ",{\"role\":\"assistant\",\"content\":\"y\",\"reasoning_"
                                           "details\":[{\"type\":\"reasoning.encrypted\",\"data\":"
                                           "\"G\",\"format\":\"google-gemini-v1\"}]}]}",
     HEAD "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{"
          "\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]},"
          "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},{\"role\":"
          "\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"y\"}]}]}",
     "messages.reasoning_content"},
    {"thinking as other gateways give it back", "M",
     "{\"messages\":[{\"role\":\"assistant\",\"content\":\"x\",\"thinking_blocks\":[{\"type\":"
     "\"thinking\",\"thinking\":\"t\",\"signature\":\"S\"}]}]}",
     HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":"
          "\"t\",\"signature\":\"S\"},{\"type\":\"text\",\"text\":\"x\"}]}]}",
     ""},
    {"thinking among the content", "M",
     "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":"
     "\"t\",\"signature\":\"S\"},{\"type\":\"text\",\"text\":\"x\"}]}]}",
     HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":"
          "\"t\",\"signature\":\"S\"},{\"type\":\"text\",\"text\":\"x\"}]}]}",
     ""},
    {"a tool loop whose thinking never came back goes on without", "M",
     "{\"reasoning_effort\":\"low\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":"
     "\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":"
     "\"tool\",\"tool_call_id\":\"a\",\"content\":\"1\"}]}",
     HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\","
          "\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_"
          "result\",\"tool_use_id\":\"a\",\"content\":[{\"type\":\"text\",\"text\":\"1\"}]}]}]}",
     "reasoning_effort"},
};

Test(back_anthropic, writes_what_the_messages_api_takes)
{
    static struct dialect_run run;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_field field = {.name = "model"};
        run_begin(&run, OP_CHAT, CAT_DIALECT_ANTHROPIC, rows[i].model);
        const char *out = run_request(&run, rows[i].in);
        cr_expect_str_eq(out, rows[i].out, "%s:\n got %s\nwant %s", rows[i].name, out, rows[i].out);
        cr_expect_str_eq(run.call.dropped, rows[i].dropped, "%s: dropped \"%s\"", rows[i].name,
                         run.call.dropped);
        if (out[0] == '{')
            cr_expect_eq(json_scan_object(str_c(out), &field, 1, NULL), ST_OK, "%s", rows[i].name);
        run_end(&run);
    }
}

Test(back_anthropic, has_a_rule_for_every_parameter)
{
    enum chat_param_name missing = params_check(dialect_back(CAT_DIALECT_ANTHROPIC)->params);
    cr_expect_eq(missing, CHAT_PARAM_COUNT, "%s",
                 missing < CHAT_PARAM_COUNT ? params_text(missing) : "");
}

Test(back_anthropic, betas_go_out_as_a_header)
{
    static struct dialect_run run;
    run_begin(&run, OP_CHAT, CAT_DIALECT_ANTHROPIC, "M");
    run_request(&run, "{" HI ",\"anthropic_beta\":[\"a-1\",\"b-2\"],\"anthropic_version\":\"x\"}");
    cr_assert_eq(run.call.header_count, 1);
    cr_expect(str_eq(run.call.headers[0].name, STR("anthropic-beta")));
    cr_expect(str_eq(run.call.headers[0].value, STR("a-1,b-2")));
    cr_expect_str_eq(run.call.dropped, "");
    run_end(&run);
}

Test(back_anthropic, max_tokens_has_a_default_of_last_resort)
{
    static struct dialect_run run;
    run_begin(&run, OP_CHAT, CAT_DIALECT_ANTHROPIC, "M");
    run.target.max_output_tokens = 0;
    cr_expect_str_eq(run_request(&run, "{" HI "}"),
                     "{\"model\":\"M\",\"max_tokens\":4096," HI_OUT "}");
    run_end(&run);
}
