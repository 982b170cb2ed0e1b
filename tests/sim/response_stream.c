/* response_stream.c: the events of a streamed response, in OpenAI's order.
 *
 *   created, in_progress,
 *   per item: output_item.added,
 *     text: content_part.added, output_text.delta*, output_text.done, content_part.done
 *     call: function_call_arguments.delta*, function_call_arguments.done
 *   output_item.done
 *   completed | incomplete
 *
 * sequence_number counts all events of the stream from 0. There is no [DONE].
 */
#include "tests/sim/response.h"
#include "tests/sim/stream.h"

/* Opens an event up to its members; event_close ends it. */
static void event_open(struct stream *stream, struct json_writer *w, struct buf *out,
                       const char *type)
{
    buf_printf(out, "event: %s\ndata: ", type);
    jw_init(w, out);
    jw_object(w);
    jw_field_cstr(w, "type", type);
    jw_field_u64(w, "sequence_number", stream->serial++);
}

static void event_close(struct json_writer *w, struct buf *out)
{
    jw_end(w);
    buf_add_lit(out, "\n\n");
}

static void event_response(struct stream *stream, struct buf *out, const char *type,
                           struct str response)
{
    struct json_writer w;
    event_open(stream, &w, out, type);
    jw_field_raw(&w, "response", response);
    event_close(&w, out);
}

static const struct response_item *stream_item(const struct stream *stream)
{
    const struct response *response = stream->context;
    return &response->items[stream->block];
}

static void event_item(struct stream *stream, struct buf *out, const char *type, struct str item)
{
    struct json_writer w;
    event_open(stream, &w, out, type);
    jw_field_u64(&w, "output_index", stream->block);
    jw_field_raw(&w, "item", item);
    event_close(&w, out);
}

/* An event about the text or the arguments: `name` is the member that carries `text`. */
static void event_text(struct stream *stream, struct buf *out, const char *type, const char *name,
                       struct str text)
{
    const struct answer_block *block = stream_block(stream);
    struct json_writer w;
    event_open(stream, &w, out, type);
    jw_field_str(&w, "item_id", stream_item(stream)->id);
    jw_field_u64(&w, "output_index", stream->block);
    if (block->kind == ANSWER_TEXT) {
        jw_field_u64(&w, "content_index", 0);
        jw_field_raw(&w, "logprobs", STR("[]"));
    } else if (strcmp(name, "arguments") == 0) {
        jw_field_str(&w, "name", block->name);
    }
    jw_field_str(&w, name, text);
    event_close(&w, out);
}

static void event_part(struct stream *stream, struct buf *out, const char *type, struct str text)
{
    struct json_writer w;
    event_open(stream, &w, out, type);
    jw_field_str(&w, "item_id", stream_item(stream)->id);
    jw_field_u64(&w, "output_index", stream->block);
    jw_field_u64(&w, "content_index", 0);
    jw_key(&w, "part");
    jw_object(&w);
    jw_field_cstr(&w, "type", "output_text");
    jw_field_raw(&w, "annotations", STR("[]"));
    jw_field_raw(&w, "logprobs", STR("[]"));
    jw_field_str(&w, "text", text);
    jw_end(&w);
    event_close(&w, out);
}

static void response_begin(struct stream *stream, struct buf *out)
{
    const struct response *response = stream->context;
    event_response(stream, out, "response.created", response->running);
    event_response(stream, out, "response.in_progress", response->running);
}

static void response_open(struct stream *stream, struct buf *out)
{
    event_item(stream, out, "response.output_item.added", stream_item(stream)->running);
    if (stream_block(stream)->kind == ANSWER_TEXT)
        event_part(stream, out, "response.content_part.added", STR(""));
}

static void response_piece(struct stream *stream, struct str text, struct buf *out)
{
    bool tool = stream_block(stream)->kind == ANSWER_CALL;
    event_text(stream, out,
               tool ? "response.function_call_arguments.delta" : "response.output_text.delta",
               "delta", text);
}

static void response_close(struct stream *stream, struct buf *out)
{
    struct str text = stream_block(stream)->text;
    if (stream_block(stream)->kind == ANSWER_CALL) {
        event_text(stream, out, "response.function_call_arguments.done", "arguments", text);
    } else {
        event_text(stream, out, "response.output_text.done", "text", text);
        event_part(stream, out, "response.content_part.done", text);
    }
    event_item(stream, out, "response.output_item.done", stream_item(stream)->done);
}

static void response_end(struct stream *stream, struct buf *out)
{
    const struct response *response = stream->context;
    bool whole = !response->answer.cut && !response->answer.refused;
    event_response(stream, out, whole ? "response.completed" : "response.incomplete",
                   response->done);
}

static void response_error(struct stream *stream, struct buf *out)
{
    struct json_writer w;
    event_open(stream, &w, out, "error");
    jw_field_cstr(&w, "code", "server_error");
    jw_field_cstr(&w, "message",
                  "The server had an error while processing your request. Sorry about that!");
    jw_field_cstr(&w, "param", NULL);
    event_close(&w, out);
}

static const struct stream_ops response_ops = {response_begin, response_open, response_piece,
                                               response_close, response_end,  response_error};

void response_stream_start(struct call *call, struct response *response)
{
    stream_start(call, &response_ops, &response->answer, response);
}
