/* operator.h: sluicectl's way into a running sluice-control: a socket in the data folder.
 *
 *   caller -> words (cli_words_format), then end of sending
 *   server -> frames {u8 kind, u32 length big-endian, bytes}: 'o' output, then one 'e': status code, NUL, sentence
 *
 * Who may: the file is 0600 in a folder of 0700, and the peer's user must be ours or root; whoever passes could as well read the
 * store. Commands run on one thread, one at a time, so they never crowd out the admin API; a silent caller is cut off after
 * OPERATOR_WORDS_MS, one that does not read after OPERATOR_SEND_MS.
 * Owner: operator_start gives; operator_stop ends the command in progress at its next output, and removes the file.
 */
#ifndef SLUICE_CONTROL_OPERATOR_H
#define SLUICE_CONTROL_OPERATOR_H

#include "control-plane/home.h"
#include "control-plane/publish/nodes.h"

#define OPERATOR_WORDS_MS 5000
#define OPERATOR_SEND_MS  30000

struct operator;

/* Serves data_dir/operator.sock; a file left by a dead process is replaced (the store's lock says it is dead). All arguments
 * outlive it. ST_IO, ST_NO_MEMORY. */
MUST_USE enum status operator_start(const struct params *params, const struct home *home, struct nodes *nodes,
                                    uint16_t link_port, struct operator **out);
void operator_stop(struct operator *op);

/* The caller's end: sends the words, hands output to `write` as it comes. ST_AGAIN: nobody listens. ST_CLOSED: it ended in
 * the middle. Otherwise the command's status, with its sentence in `why`. */
MUST_USE enum status operator_ask(const struct params *params, struct str words,
                                  enum status (*write)(void *arg, struct str bytes), void *arg, struct buf *why);

#endif
