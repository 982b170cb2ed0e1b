/* params_read.c: look-ups in loaded parameters, and their two printed forms.
 *
 * A look-up by the wrong type is a bug of ours and ends the process. The help is made from the rows
 * alone, so that an option cannot exist without a sentence about it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/params.h"

static const char *const type_texts[] = {
    [PARAMS_STRING] = "TEXT",  [PARAMS_U64] = "N",        [PARAMS_BOOL] = "true|false",
    [PARAMS_MS] = "DURATION",  [PARAMS_BYTES] = "SIZE",   [PARAMS_PATH] = "PATH",
    [PARAMS_LIST] = "A,B,...", [PARAMS_SECRET] = "WHERE",
};

uint64_t params_u64(const struct params *params, enum param param)
{
    enum params_type type = params_row(param)->type;
    CHECK(type == PARAMS_U64 || type == PARAMS_BOOL || type == PARAMS_MS || type == PARAMS_BYTES);
    return params->values[param].number;
}

bool params_bool(const struct params *params, enum param param)
{
    CHECK(params_row(param)->type == PARAMS_BOOL);
    return params->values[param].number != 0;
}

struct str params_str(const struct params *params, enum param param)
{
    CHECK((size_t)param < PARAM_COUNT);
    return params->values[param].text;
}

bool params_next(struct str *rest, struct str *item)
{
    struct str piece;
    while (str_split(rest, ',', &piece)) {
        piece = str_trim(piece);
        if (piece.n > 0) {
            *item = piece;
            return true;
        }
    }
    return false;
}

static enum status copy_path(const char *folder, struct str name, char path[PARAMS_VALUE_MAX + 1])
{
    int n = folder == NULL
                ? snprintf(path, PARAMS_VALUE_MAX + 1, STR_FMT, STR_ARG(name))
                : snprintf(path, PARAMS_VALUE_MAX + 1, "%s/" STR_FMT, folder, STR_ARG(name));
    return n > 0 && n <= PARAMS_VALUE_MAX ? ST_OK : ST_INVALID;
}

enum status params_secret(const struct params *params, enum param param, int *fd,
                          char path[PARAMS_VALUE_MAX + 1])
{
    CHECK(params_row(param)->type == PARAMS_SECRET);
    struct str text = params_str(params, param);
    uint64_t number;
    if (text.n == 0)
        return ST_NOT_FOUND;
    if (str_starts(text, STR("fd:"))) {
        TRY(str_to_u64(str_from(text, 3), &number));
        *fd = (int)number;
        return ST_OK;
    }
    if (str_starts(text, STR("credential:"))) {
        const char *folder = getenv("CREDENTIALS_DIRECTORY");
        if (folder == NULL)
            return ST_INVALID;
        TRY(copy_path(folder, str_from(text, 11), path));
    } else {
        TRY(copy_path(NULL, str_starts(text, STR("file:")) ? str_from(text, 5) : text, path));
    }
    *fd = -1;
    return ST_OK;
}

static void add_option(struct buf *out, const struct params_row *row)
{
    buf_add_lit(out, "  --");
    for (const char *c = row->key; *c != '\0'; c++)
        buf_add_char(out, *c == '_' ? '-' : *c);
    buf_printf(out, "=%s\n      %s", type_texts[row->type], row->text);
    if (row->def[0] != '\0')
        buf_printf(out, " [%s]", row->def);
    buf_add_char(out, '\n');
}

void params_help(const struct params *params, const char *usage, struct buf *out)
{
    buf_printf(
        out,
        "%s\n\n"
        "Configuration: defaults, then /etc/sluice/*.conf (lines `key = value`), then each\n"
        "--config=FILE, then --key=value. Secrets are given by place only: file:/path, fd:N or\n"
        "credential:NAME (systemd).\n\n"
        "  --config=FILE      read a further configuration file\n"
        "  --config-dir=DIR   instead of /etc/sluice; empty: none\n"
        "  --dump-config      print every value and where it comes from\n"
        "  --help             print this\n\n",
        usage);
    for (size_t i = 0; i < PARAM_COUNT; i++)
        if ((params_row((enum param)i)->programs & params->program) != 0)
            add_option(out, params_row((enum param)i));
}

void params_dump(const struct params *params, struct buf *out)
{
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        const struct params_row *row = params_row((enum param)i);
        const struct params_value *value = &params->values[i];
        if ((row->programs & params->program) != 0)
            buf_printf(out, "%s = " STR_FMT "  # %s\n", row->key, STR_ARG(value->text),
                       value->source);
    }
}
