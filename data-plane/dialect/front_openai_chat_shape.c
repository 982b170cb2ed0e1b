/* front_openai_chat_shape.c: the pieces that a chunk and a whole completion share.
 *
 * One writer for each piece, so that a stream put together by a client equals the whole answer.
 * Source: OpenAI API reference ("The chat completion object", "Error codes"). reasoning_content,
 * reasoning_details and images are no part of it; they are the names that most clients of several
 * providers know.
 */
#include "data-plane/dialect/front_openai_chat.h"

void front_openai_chat_usage(struct json_writer *w, const struct slot_usage *usage, bool extras)
{
    jw_object(w);
    jw_field_u64(w, "prompt_tokens", usage->input_tokens);
    jw_field_u64(w, "completion_tokens", usage->output_tokens);
    jw_field_u64(w, "total_tokens", usage->input_tokens + usage->output_tokens);
    jw_key(w, "prompt_tokens_details");
    jw_object(w);
    jw_field_u64(w, "cached_tokens", usage->cached_tokens);
    jw_field_u64(w, "cache_write_tokens", usage->cache_write_tokens);
    jw_field_u64(w, "audio_tokens", usage->audio_input_tokens);
    jw_end(w);
    jw_key(w, "completion_tokens_details");
    jw_object(w);
    jw_field_u64(w, "reasoning_tokens", usage->reasoning_tokens);
    jw_field_u64(w, "audio_tokens", usage->audio_output_tokens);
    jw_end(w);
    if (extras) {
        jw_field_u64(w, "cache_read_input_tokens", usage->cached_tokens);
        jw_field_u64(w, "cache_creation_input_tokens", usage->cache_write_tokens);
    }
    jw_end(w);
}

/* A turn that the provider's own tools paused, and a full context, are both an answer that is not
 * all there: "length" is OpenAI's word for it. */
struct str front_openai_chat_finish(const struct dialect_call *call, enum chat_finish finish,
                                    struct str word)
{
    if (call->extras && word.n > 0)
        return word;
    switch (finish) {
    case CHAT_FINISH_LENGTH:
    case CHAT_FINISH_WINDOW:
    case CHAT_FINISH_PAUSE:
        return STR("length");
    case CHAT_FINISH_TOOL_CALLS:
        return call->chat->legacy_functions ? STR("function_call") : STR("tool_calls");
    case CHAT_FINISH_REFUSAL:
    case CHAT_FINISH_FILTER:
        return STR("content_filter");
    case CHAT_FINISH_NONE:
    case CHAT_FINISH_STOP:
    case CHAT_FINISH_STOP_SEQUENCE:
    case CHAT_FINISH_ERROR:
        break;
    }
    return STR("stop");
}

void front_openai_chat_detail(const struct dialect_call *call, struct json_writer *w,
                              const struct chat_part *part, uint32_t index)
{
    struct str origin = part->origin;
    bool hidden = part->kind == CHAT_PART_REDACTED;
    jw_object(w);
    jw_field_cstr(w, "type", hidden ? "reasoning.encrypted" : "reasoning.text");
    if (!hidden)
        jw_field_raw(w, "text", chat_has(part->text) ? part->text.raw : STR("\"\""));
    if (chat_has(part->signature))
        jw_field_raw(w, hidden ? "data" : "signature", part->signature.raw);
    if (origin.n == 0 && call->back->signs_as != NULL)
        origin = str_c(call->back->signs_as);
    if (origin.n > 0)
        jw_field_str(w, "format", origin);
    jw_field_u64(w, "index", index);
    jw_end(w);
}

void front_openai_chat_annotation(struct json_writer *w, const struct chat_citation *citation,
                                  size_t from, size_t to)
{
    jw_object(w);
    jw_field_cstr(w, "type", "url_citation");
    jw_key(w, "url_citation");
    jw_object(w);
    jw_field_u64(w, "start_index", citation->ranged ? from + citation->from : from);
    jw_field_u64(w, "end_index", citation->ranged ? from + citation->to : to);
    jw_field_raw(w, "url", citation->url.raw);
    jw_field_raw(w, "title", chat_has(citation->title) ? citation->title.raw : STR("\"\""));
    jw_end(w);
    jw_end(w);
}

void front_openai_chat_call(struct json_writer *w, struct chat_text id, struct chat_text name,
                            struct chat_text arguments, struct chat_text signature, uint32_t index)
{
    jw_object(w);
    if (index != CHAT_NO_INDEX)
        jw_field_u64(w, "index", index);
    jw_field_raw(w, "id", id.raw);
    jw_field_cstr(w, "type", "function");
    jw_key(w, "function");
    jw_object(w);
    jw_field_raw(w, "name", name.raw);
    jw_field_raw(w, "arguments", arguments.raw);
    jw_end(w);
    if (chat_has(signature)) { /* where Google's own OpenAI-compatible service puts it */
        jw_key(w, "extra_content");
        jw_object(w);
        jw_key(w, "google");
        jw_object(w);
        jw_field_raw(w, "thought_signature", signature.raw);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

void front_openai_chat_picture(struct json_writer *w, const struct chat_media *media)
{
    jw_object(w);
    jw_field_cstr(w, "type", "image_url");
    jw_key(w, "image_url");
    jw_object(w);
    jw_key(w, "url");
    jw_raw(w, STR("\""));
    if (media->source == CHAT_SOURCE_DATA) {
        buf_add_lit(w->buf, "data:");
        buf_add_str(w->buf, media->mime);
        buf_add_lit(w->buf, ";base64,");
    }
    buf_add_str(w->buf, media->inner);
    buf_add_char(w->buf, '"');
    jw_end(w);
    jw_end(w);
}

size_t front_openai_chat_length(struct str inner)
{
    size_t n = 0;
    for (size_t i = 0; i < inner.n; i++) {
        unsigned char c = (unsigned char)inner.p[i];
        if ((c & 0xC0) == 0x80)
            continue; /* not the first byte of a character */
        n++;
        if (c != '\\')
            continue;
        i++;
        if (i < inner.n && inner.p[i] == 'u') {
            bool high = i + 2 < inner.n && (inner.p[i + 1] | 0x20) == 'd' &&
                        strchr("89abAB", inner.p[i + 2]) != NULL;
            i += high ? 10 : 4; /* a pair of surrogates is one character */
        }
    }
    return n;
}

void front_openai_chat_error(struct dialect_call *call, const struct chat_error *error,
                             bool in_stream)
{
    struct json_writer w;
    if (in_stream)
        buf_add_lit(&call->out, "data: ");
    jw_init(&w, &call->out);
    jw_object(&w);
    jw_key(&w, "error");
    jw_object(&w);
    jw_field_str(&w, "message", error->message);
    jw_field_str(&w, "type", error->type.n > 0 ? error->type : STR("server_error"));
    jw_key(&w, "param");
    if (error->param.n > 0)
        jw_str(&w, error->param);
    else
        jw_null(&w);
    jw_key(&w, "code");
    if (error->code.n > 0)
        jw_str(&w, error->code);
    else
        jw_null(&w);
    jw_end(&w);
    if (call->extras)
        jw_field_str(&w, "provider", call->target->service);
    jw_end(&w);
    if (in_stream)
        buf_add_lit(&call->out, "\n\ndata: [DONE]\n\n");
}
