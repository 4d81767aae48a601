"""The error tree. Every message says what is wrong, where, and what to do next.

KindredError
├── InputError      a file or its content cannot be used; names file and line
├── OptionError     an option is out of range or does not fit the data; names both numbers
├── EncoderError    an encoder cannot be found, loaded, or does not do what was asked
├── IndexFolderError  a folder is not an index, is damaged, of a newer format, or of another encoder
└── OutputError     the result cannot be written where it was asked for
"""

__all__ = [
    "EncoderError",
    "IndexFolderError",
    "InputError",
    "KindredError",
    "OptionError",
    "OutputError",
]


class KindredError(Exception):
    """Something the user can put right; the command line prints it and exits with 1."""


class InputError(KindredError):
    """A file, or a line of it, cannot be used."""


class OptionError(KindredError):
    """An option is out of its range, or does not fit the data or the encoder."""


class EncoderError(KindredError):
    """An encoder is missing, unreadable, or lacks what was asked of it."""


class IndexFolderError(KindredError):
    """A folder is not an index this version can open with this encoder."""


class OutputError(KindredError):
    """The result cannot be written."""
