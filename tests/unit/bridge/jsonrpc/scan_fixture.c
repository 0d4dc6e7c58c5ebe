#include "tests/unit/bridge/jsonrpc/scan_fixture.h"

#include "tests/unit/bridge/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum message_fault scan_fault(struct slice bytes)
{
    struct message message;
    char *copy = fake_copy(bytes);
    enum message_fault fault = message_scan_whole(&message, slice_of(copy, bytes.size));
    fake_free(copy, bytes.size);
    return fault;
}

void scan_expect_fault(const char *text, enum message_fault fault)
{
    if (scan_fault(slice_text(text)) != fault) {
        fail_msg("%s: %s, and not: %s", text, message_fault_text(scan_fault(slice_text(text))),
                 message_fault_text(fault));
    }
}

void scan_expect_kind(const char *text, enum message_kind kind)
{
    struct message message;
    scan_expect_fault(text, MESSAGE_FAULT_NONE);
    assert_int_equal(message_scan_whole(&message, slice_text(text)), MESSAGE_FAULT_NONE);
    assert_int_equal(message.kind, kind);
}
