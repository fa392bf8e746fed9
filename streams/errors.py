"""The error tree, split by what the stream does next.

HeadgateError
├── StartError            refuse to start; one sentence that says what to do
│   └── PolicyError       the policy file is bad: file, line, found, expected
├── TransientError        retry with backoff, then a dead letter
└── PermanentError        a dead letter now
    └── EventError        the event itself is bad: not Avro, wrong schema, bad fields
"""


class HeadgateError(Exception):
    """Any failure that Headgate names itself."""


class StartError(HeadgateError):
    """A set-up problem; the program says so and does not start."""


class PolicyError(StartError):
    """A bad policy file; says file, line, what was found and what was expected."""


class TransientError(HeadgateError):
    """A failure that may pass: the event is tried again, in bounds."""


class PermanentError(HeadgateError):
    """A failure that no retry mends: the event becomes a dead letter.

    `code` is a short, safe word for headers and metrics; never payload text.
    `attempts` says how often the event was tried.
    """

    attempts: int = 1

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class EventError(PermanentError):
    """The event itself is bad."""
