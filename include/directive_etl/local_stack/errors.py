"""What can go wrong with the local stack, said so that the reader can act on it."""


class StackError(RuntimeError):
    """The stack cannot be started, stopped or reached; the message says why and what to do."""
