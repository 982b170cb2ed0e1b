/* uplink_test.c: the courier's conversation against a scripted control plane over a real link. */
#include "tests/unit/data-plane/courier/uplink_fixture.h"

TestSuite(uplink, .init = setup, .fini = teardown, .timeout = 120);

Test(uplink, applies_a_feed_and_reports_where_it_stands)
{
    const struct script rows[] = {{.step = STEP_PART, .store = &store_id, .through = 7}};
    begin(rows, 1);
    WAIT_FOR(asked_count >= 3);
    cr_expect_eq(hellos, 1);
    cr_expect_eq(applied_count, 1);
    cr_expect_eq(applied[0].through, 7);
    cr_expect_eq(asked[0].have_revision, 0);
    cr_expect_eq(asked_store[0], 0);
    cr_expect_eq(asked[1].have_revision, 7);
    cr_expect_eq(asked_store[1], 'A');
    cr_expect_eq(asked[1].wait_ms, LINK_WAIT_MAX_MS);
    WAIT_FOR(uplink_is_up(uplink) && atomic_load(&link_state));
}

Test(uplink, stages_parts_and_applies_them_together)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .cursor = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5, .more = true, .cursor = 6},
        {.step = STEP_PART, .store = &store_id, .through = 9},
    };
    begin(rows, 3);
    WAIT_FOR(asked_count >= 4);
    cr_assert_eq(applied_count, 1);
    cr_expect_eq(applied[0].parts, 3);
    cr_expect_eq(applied[0].through, 9);
    cr_expect_eq(asked[1].cursor_revision, 4);
    cr_expect_eq(asked[1].wait_ms, 0);
    cr_expect_eq(asked[2].cursor_revision, 6);
    cr_expect_eq(asked[3].cursor_revision, 0);
    cr_expect_eq(asked[3].have_revision, 9);
}

Test(uplink, a_full_copy_is_applied_part_by_part)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .full = true, .cursor = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5, .more = true, .full = true, .cursor = 6},
        {.step = STEP_PART, .store = &store_id, .through = 9, .full = true},
    };
    begin(rows, 3);
    WAIT_FOR(asked_count >= 4);
    cr_assert_eq(applied_count, 3);
    cr_expect_eq(copies, 1);
    cr_expect(applied[0].full && !applied[0].last && applied[2].last);
    cr_expect_eq(asked[2].cursor_revision, 6);
    cr_expect_eq(asked[3].have_revision, 9);
}

Test(uplink, parts_of_another_store_or_mode_start_over)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .cursor = 4},
        {.step = STEP_PART, .store = &other_store, .through = 5},                                       /* another store */
        {.step = STEP_PART, .store = &store_id, .through = 3, .more = true, .cursor = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5, .full = true},                            /* another mode */
        {.step = STEP_PART, .store = &other_store, .through = 8, .full = true},
    };
    begin(rows, 5);
    WAIT_FOR(asked_count >= 6);
    cr_assert_eq(applied_count, 1);
    cr_expect_eq(applied[0].through, 8);
    cr_expect_eq(asked[2].cursor_revision, 0);
    cr_expect_eq(asked[4].cursor_revision, 0);
    cr_expect_eq(asked_store[5], 'B');
}

Test(uplink, a_refused_revision_is_told_until_a_newer_one_is_applied)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 4},
        {.step = STEP_PART, .store = &store_id, .through = 5},
    };
    apply_result = ST_BAD_FORMAT;
    apply_why = "an enum of the future";
    begin(rows, 2);
    WAIT_FOR(asked_count >= 3);
    cr_expect_eq(asked[1].refused_revision, 4);
    cr_expect_str_eq(asked_refused[1], "an enum of the future");
    cr_expect_eq(asked[1].have_revision, 0);
    cr_expect_eq(asked[2].refused_revision, 0);
    cr_expect_eq(asked[2].have_revision, 5);
}

Test(uplink, what_could_not_be_written_is_asked_for_again)
{
    const struct script rows[] = {
        {.step = STEP_PART, .store = &store_id, .through = 4},
        {.step = STEP_PART, .store = &store_id, .through = 4},
    };
    apply_result = ST_STORE_FULL;
    begin(rows, 2);
    WAIT_FOR(applied_count >= 1);
    cr_expect_eq(asked[1].refused_revision, 0);
    cr_expect_eq(asked[1].have_revision, 0);
    cr_expect_eq(applied[0].through, 4);
}

Test(uplink, replies_that_are_not_ours_are_not_believed)
{
    const struct script rows[] = {
        {.step = STEP_WRONG_KEY, .store = &store_id, .through = 4},
        {.step = STEP_WRONG_COUNTER, .store = &store_id, .through = 5},
        {.step = STEP_PART, .store = &store_id, .through = 6},
    };
    begin(rows, 3);
    WAIT_FOR(applied_count >= 1);
    cr_expect_eq(applied[0].through, 6);
}

Test(uplink, a_repetition_is_sent_again_as_a_new_message)
{
    const struct script rows[] = {{.step = STEP_CONFLICT}, {.step = STEP_PART, .store = &store_id, .through = 6}};
    refuse_once = true; /* the hello */
    begin(rows, 2);
    WAIT_FOR(applied_count >= 1);
    cr_expect_eq(hellos, 1);
    cr_expect_eq(asked_count >= 2, true);
}

Test(uplink, a_removed_node_says_so)
{
    const struct script rows[] = {{.step = STEP_REVOKED}};
    begin(rows, 1);
    while (atomic_load(&revoked_state) != 1)
        usleep(1000);
    usleep(300000);
    cr_expect_eq(asked_count, 1, "a removed node asks every 30 s");
}

Test(uplink, probes_are_handed_on_and_answered)
{
    const struct script rows[] = {{.step = STEP_PART, .store = &store_id, .through = 1, .probe = true}};
    begin(rows, 1);
    WAIT_FOR(probe_results >= 1);
    cr_expect_eq(probes_seen, 1);
}

Test(uplink, usage_is_uploaded_until_none_is_left_and_when_told)
{
    usage_through = 20;
    batches_left = 3;
    begin(NULL, 0);
    WAIT_FOR(acked_calls == 3);
    cr_expect_eq(acked_through, 20);
    pthread_mutex_lock(&lock);
    batches_left = 1;
    pthread_mutex_unlock(&lock);
    uplink_usage_ready(uplink);
    WAIT_FOR(acked_calls == 4);
    cr_expect_eq(uploads, 4);
}

Test(uplink, an_ack_without_progress_is_no_ack)
{
    usage_through = 10; /* the batch begins at 11 */
    batches_left = 1;
    begin(NULL, 0);
    WAIT_FOR(uploads >= 2);
    cr_expect_eq(acked_calls, 0);
    pthread_mutex_lock(&lock);
    usage_through = 11;
    pthread_mutex_unlock(&lock);
    WAIT_FOR(acked_calls == 1);
}

static struct ipc_object question(const char *object)
{
    struct ipc_object query = {.org = store_id, .workspace = store_id, .provider = store_id};
    snprintf(query.object, sizeof query.object, "%s", object);
    snprintf(query.object_kind, sizeof query.object_kind, "file");
    return query;
}

Test(uplink, questions_are_answered_once_each)
{
    begin(NULL, 0);
    WAIT_FOR(hellos == 1);
    for (unsigned i = 0; i < 200; i++) {
        struct ipc_object query = question(i % 2 == 0 ? "ours-1" : "theirs-1");
        uplink_ask_object(uplink, i, &query);
    }
    while (atomic_load(&object_answer_count) < 200)
        usleep(1000);
    for (unsigned i = 0; i < 200; i++)
        cr_expect_eq(object_answers[i], i % 2 == 0 ? ST_OK : ST_NOT_FOUND);
    cr_expect_lt(questions, 200, "questions of one kind travel together");
    usleep(20000);
    cr_expect_eq(atomic_load(&object_answer_count), 200);
}

Test(uplink, without_a_link_questions_are_refused_at_once)
{
    snprintf(bundle.link_url, sizeof bundle.link_url, "tls+tcp://127.0.0.1:1");
    begin(NULL, 0);
    struct ipc_object query = question("ours-1");
    uplink_ask_object(uplink, 1, &query);
    while (atomic_load(&object_answer_count) < 1)
        usleep(1000);
    cr_expect_eq(object_answers[1], ST_CONTROL_AWAY);
    cr_expect_not(uplink_is_up(uplink));
}

/* The poll alone would last 35 s, longer than this test may. */
Test(uplink, stop_ends_a_long_poll, .timeout = 30)
{
    const struct script rows[] = {{.step = STEP_SILENT}};
    begin(rows, 1);
    WAIT_FOR(asked_count == 1);
    uplink_stop(uplink);
    uplink = NULL;
}

Test(uplink, grants_are_asked_for_one_request_at_a_time)
{
    begin(NULL, 0);
    atomic_store(&grants_wanted, 3);
    uplink_grants_ready(uplink);
    WAIT_FOR(grant_answers == 3);
    cr_expect_eq(grant_requests, 3);
    recall_next = true;
    WAIT_FOR(recalls_seen == 1);
}

Test(uplink, stop_ends_a_request_for_grants_that_nobody_answers)
{
    grants_silent = true;
    begin(NULL, 0);
    atomic_store(&grants_wanted, 1);
    uplink_grants_ready(uplink);
    WAIT_FOR(grant_requests == 1);
    uplink_stop(uplink);
    cr_expect_eq(grants_failed, 1, "the books hear that no answer came");
    uplink = NULL;
}
