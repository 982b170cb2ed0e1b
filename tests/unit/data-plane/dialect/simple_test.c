/* Operations without a conversation: the engine, its fronts, and vectors as bytes. */
#include "tests/unit/data-plane/dialect/simple_rows.h"

static const uint16_t dialects[] = {CAT_DIALECT_GEMINI};

Test(simple, every_row_of_every_back_has_a_rule_for_every_parameter)
{
    size_t seen = 0;
    for (size_t i = 0; i < COUNT_OF(dialects); i++) {
        const struct back *back = dialect_back(dialects[i]);
        for (size_t k = 0; k < back->simple_count; k++, seen++) {
            const char *missing = simple_check(back->simple[k].op, back->simple[k].rules);
            cr_expect_null(missing, "%s %s: %s", back->name, op_row(back->simple[k].op)->text,
                           missing);
        }
    }
    cr_expect_geq(seen, 3);
}

static const struct {
    const char *vector, *base64; /* base64 by Python's struct.pack("<%df", ...) */
} vectors[] = {
    {"[0.5,-1,2e0]", "AAAAPwAAgL8AAABA"},
    {"[0.1, 0.2]", "zczMPc3MTD4="},
    {"[-0.0123456789]", "iEVKvA=="},
    {"[1e-10,1E+5,-0]", "/+bbLgBQw0cAAACA"},
    {"[0.1234567890123456789012345]", "6tb8PQ=="},
    {"[3.4e38,1e-40,1e-60]", "nsl/f8IWAQAAAAAA"},
    {"[]", ""},
};

Test(simple, vectors_are_floats_in_little_endian_base64)
{
    struct arena arena;
    struct str text;
    arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        cr_assert_eq(simple_base64(&arena, str_c(vectors[i].vector), &text), ST_OK);
        cr_expect(str_eq(text, str_c(vectors[i].base64)), "%s: %.*s", vectors[i].vector,
                  STR_ARG(text));
    }
    cr_expect_eq(simple_base64(&arena, STR("[\"a\"]"), &text), ST_INVALID);
    cr_expect_eq(simple_base64(&arena, STR("[[1]]"), &text), ST_INVALID);
    arena_free(&arena);
}

static const struct simple_row refusals[] = {
    {"no input", OP_EMBEDDINGS, "m", "{'model':'m'}", "400: input: required.", ""},
    {"an empty input", OP_EMBEDDINGS, "m", "{'input':[]}", "400: input: must not be empty.", ""},
    {"BUG token numbers went to providers of text", OP_EMBEDDINGS, "m", "{'input':[[1,2],[3]]}",
     "400: input[0]: provider @prod (x) does not take token numbers. Send strings (LangChain: "
     "OpenAIEmbeddings(check_embedding_ctx_length=False)).",
     ""},
    {"one input as token numbers", OP_EMBEDDINGS, "m", "{'input':[1,2,3]}",
     "400: input: provider @prod (x) does not take token numbers. Send strings (LangChain: "
     "OpenAIEmbeddings(check_embedding_ctx_length=False)).",
     ""},
    {"a number", OP_EMBEDDINGS, "m", "{'input':5}",
     "400: input: must be a string, or an array of strings or token numbers.", ""},
    {"a form that nobody knows", OP_EMBEDDINGS, "m", "{'input':'a','encoding_format':'int8'}",
     "400: encoding_format: must be float or base64.", ""},
    {"no prompt", OP_IMAGES_GENERATIONS, "m", "{'n':1}", "400: prompt: a string is required.", ""},
    {"too many pictures", OP_IMAGES_GENERATIONS, "m", "{'prompt':'a','n':11}",
     "400: n: must be a whole number from 1 to 10.", ""},
    {"a stream of pictures", OP_IMAGES_GENERATIONS, "m", "{'prompt':'a','stream':true}",
     "400: stream: provider @prod (x) cannot honour it. Leave it out.", ""},
    {"nothing to say", OP_AUDIO_SPEECH, "m", "{'voice':'a'}", "400: input: a string is required.",
     ""},
    {"a body with a name twice", OP_EMBEDDINGS, "m", "{'input':'a','input':'b'}",
     "400: The request body cannot be read: duplicate member name at byte 13.", ""},
};

Test(simple, what_is_wrong_is_told_by_name)
{
    simple_rows_run(refusals, COUNT_OF(refusals), CAT_DIALECT_GEMINI, "x");
}
