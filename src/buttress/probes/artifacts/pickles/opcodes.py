"""Pickle opcodes, protocols 0 to 5 (Python's ``pickletools`` describes each)."""

from __future__ import annotations

from typing import Final

MARK, STOP, POP, POP_MARK, DUP = b"(.012"
FLOAT, INT, BININT, BININT1, LONG, BININT2 = b"FIJKLM"
NONE, PERSID, BINPERSID, REDUCE = b"NPQR"
STRING, BINSTRING, SHORT_BINSTRING, UNICODE, BINUNICODE = b"STUVX"
APPEND, BUILD, GLOBAL, DICT, EMPTY_DICT, APPENDS = b"abcd}e"
GET, BINGET, INST, LONG_BINGET, LIST, EMPTY_LIST = b"ghijl]"
OBJ, PUT, BINPUT, LONG_BINPUT, SETITEM, TUPLE, EMPTY_TUPLE, SETITEMS = b"opqrst)u"
BINFLOAT = ord("G")
PROTO, NEWOBJ, EXT1, EXT2, EXT4 = b"\x80\x81\x82\x83\x84"
TUPLE1, TUPLE2, TUPLE3, NEWTRUE, NEWFALSE, LONG1, LONG4 = b"\x85\x86\x87\x88\x89\x8a\x8b"
BINBYTES, SHORT_BINBYTES = b"BC"
SHORT_BINUNICODE, BINUNICODE8, BINBYTES8, EMPTY_SET, ADDITEMS = b"\x8c\x8d\x8e\x8f\x90"
FROZENSET, NEWOBJ_EX, STACK_GLOBAL, MEMOIZE, FRAME = b"\x91\x92\x93\x94\x95"
BYTEARRAY8, NEXT_BUFFER, READONLY_BUFFER = b"\x96\x97\x98"

HIGHEST_PROTOCOL: Final = 5

# Opcodes of a fixed length that push one plain value: length in bytes with the argument, else 0.
PLAIN_LENGTH: Final = tuple(
    {
        NONE: 1, NEWTRUE: 1, NEWFALSE: 1, EMPTY_TUPLE: 1, EMPTY_LIST: 1, EMPTY_DICT: 1,
        EMPTY_SET: 1, BININT1: 2, BININT2: 3, BININT: 5, BINFLOAT: 9,
    }.get(code, 0)
    for code in range(256)
)  # fmt: skip

# The same for the loop of the machine, which looks at what follows an empty tuple.
LOOP_LENGTH: Final = tuple(
    0 if code == EMPTY_TUPLE else length for code, length in enumerate(PLAIN_LENGTH)
)

# The same as expressions, for one and for runs; the possessive repeat keeps no state to go back to.
PLAIN_ONE: Final = rb"[N\x88\x89)\]}\x8f]|K.|M..|J.{4}|G.{8}"
PLAIN_RUN: Final = b"(?s:%b)*+" % PLAIN_ONE

KNOWN: Final = frozenset(b"(.012FIJKLMNPQRSTUVXabcd}eghijl]opqrst)uGBC" + bytes(range(0x80, 0x99)))

# First bytes of constants that may be a pickle, an archive or an array, spelled as text or not.
BLOB_FIRST: Final = b"\x80P\x93\x1fci(]}g8"
TEXT_FIRST: Final = b"\xc2Pci(]}g8"
# Those of them that need a line feed, or many characters of a spelling, to be one.
WORD_FIRST: Final = b"ci(]}g8"
