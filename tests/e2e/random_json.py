"""Random JSON text that is valid and unusual: whatever a parser and a printer would change between them."""
import math

NUMBERS = (b"0", b"-0", b"-0.0", b"1.0", b"1e400", b"-1E+400", b"0.1e-999", b"1e-0", b"9007199254740993", b"5e-324",
           b"18446744073709551616", b"-9223372036854775809", b"0.1000000000000000055511151231257827", b"1E5", b"1.10")
ESCAPES = (rb"\u0000", rb"\ud800", rb"\udfff", rb"\udfff\ud800", rb"\uD83D\uDE00", rb"\/", rb"\\", rb"\"", rb"\b", rb"\f",
           rb"\n", rb"\r", rb"\t", rb"\u0022", rb"\u005C", rb"\u2028", rb"\u000a", rb"\u00e9", rb"\uFFFF", rb"\\u0041")
# Names that mean something elsewhere in a message. _meta is left out: a progress token in it is the bridge's to change.
NAMES = (b"", b"id", b"method", b"params", b"result", b"error", b"jsonrpc", b"requestId", b"progressToken", b"name",
         rb"\u0069d", b"__proto__", b"data: x", b"constructor", rb"\u0000")
CHARACTERS = ("\u007f", "\u0080", "\u00e9", "\u2028", "\u2029", "\ufeff", "\ufffd", "\uffff", "\U0001f30d", "\U0010ffff",
              "e\u0301", "\u202e", "\u4e16", "{", "}", "[", "]", ":", ",", "'", "/", " ", "data:", "id")
SPACES = (b"", b"", b"", b"", b" ", b"\t", b" \t  ")
LINE_BREAKS = (b"", b"", b"\n", b"\r\n", b"\r", b" \n\t")  # white space in JSON, and the end of a line on a pipe

LONG_DIGITS = 10_000
DEPTH_MOST = 100


class RandomJson:
    def __init__(self, rng, spaces=SPACES):
        self.rng = rng
        self.spaces = spaces

    def space(self):
        return self.rng.choice(self.spaces)

    def value(self, depth=0):
        kind = self.rng.random()
        if depth < 6 and kind < 0.22:
            return self.object([(self.string(names=True), self.value(depth + 1)) for _ in range(self.rng.randrange(5))])
        if depth < 6 and kind < 0.40:
            return self.array([self.value(depth + 1) for _ in range(self.rng.randrange(5))])
        if kind < 0.65:
            return self.number()
        if kind < 0.93:
            return self.string()
        return self.rng.choice((b"true", b"false", b"null"))

    def object(self, members):
        """The members as given: in random_json two of them may have one name."""
        inside = b",".join(self.space() + name + self.space() + b":" + self.space() + value + self.space()
                           for name, value in members)
        return b"{" + (inside or self.space()) + b"}"

    def array(self, items):
        return b"[" + (b",".join(self.space() + item + self.space() for item in items) or self.space()) + b"]"

    def number(self):
        if self.rng.random() < 0.6:
            return self.rng.choice(NUMBERS)
        digits = b"%d" % self.rng.randrange(10 ** self.rng.randrange(1, 40))
        fraction = b".%d" % self.rng.randrange(10 ** 9) if self.rng.random() < 0.5 else b""
        exponent = self.rng.choice((b"", b"", b"e%d", b"E+%d", b"e-%d", b"E00%d"))
        return self.rng.choice((b"", b"-")) + digits + fraction + (exponent % self.rng.randrange(400) if exponent else b"")

    def string(self, names=False):
        if names and self.rng.random() < 0.4:
            return b'"' + self.rng.choice(NAMES) + b'"'
        return b'"' + b"".join(self.piece() for _ in range(int(math.exp(self.rng.random() * 4)) - 1)) + b'"'

    def piece(self):
        kind = self.rng.random()
        if kind < 0.4:
            return self.rng.choice(ESCAPES)
        if kind < 0.8:
            return self.rng.choice(CHARACTERS).encode()
        return b"%c" % self.rng.choice(b"abcXYZ0189 #-_~")

    def deep(self):
        """Nested as deep as a message may reasonably be, with something at the bottom."""
        value = self.value(depth=6)
        for _ in range(self.rng.randrange(DEPTH_MOST // 2, DEPTH_MOST)):
            nest_in_array = self.rng.random() < 0.5
            value = self.array([value]) if nest_in_array else self.object([(self.string(names=True), value)])
        return value

    def long_number(self):
        digits = b"".join(b"%d" % self.rng.randrange(10) for _ in range(LONG_DIGITS))
        return self.rng.choice((b"-7%s", b"7.%s", b"7%sE-5")) % digits

    def long_string(self, size):
        """About size bytes."""
        pattern = b"".join(self.piece() for _ in range(4001))
        return b'"' + pattern * (size // len(pattern)) + b'"'

    def any(self):
        """What a test should take: mostly small, sometimes extreme."""
        kind = self.rng.random()
        if kind < 0.02:
            return self.deep()
        if kind < 0.024:
            return self.long_number()
        return self.value()

    def params(self, value):
        """The params of a call of the tool `any`, with the value among the arguments and beside them."""
        members = [(b'"name"', b'"any"'), (b'"arguments"', self.object([(self.string(names=True), value)]))]
        if self.rng.random() < 0.5:
            name = self.rng.choice((b'"id"', b'"method"', b'"requestId"', b'""', b'"x"', b'"x"'))
            members += [(name, self.value(4)), (name, self.value(4))]
        self.rng.shuffle(members)
        return self.object(members)

    def ident(self):
        """An id that a client may choose; it must come back as it is written."""
        return self.rng.choice((
            b"0", b"-1", b"9007199254740993", b"9223372036854775807", b'""', b'"0"', b'"1"', rb'"\u0041\ud800\/"',
            '"\u4e16\U0001f30d"'.encode(), b"%d" % self.rng.randrange(1 << 53), b'"%x"' % self.rng.getrandbits(128)))

    def request(self, ident, params):
        """The message around them: any order, any white space."""
        members = [(b'"jsonrpc"', b'"2.0"'), (b'"id"', ident), (b'"method"', b'"tools/call"'), (b'"params"', params)]
        self.rng.shuffle(members)
        return self.space() + self.object(members) + self.space()
