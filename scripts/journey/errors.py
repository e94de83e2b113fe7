"""What can go wrong, said to a person: what happened, where, and what to do. The CLI prints the message alone."""


class JourneyError(Exception):
    """Something failed while working; the rest may have gone well.

    Attributes:
        exit_status: what the command exits with.
    """

    exit_status = 1


class UsageError(JourneyError):
    """The command, the configuration or the surroundings are wrong; nothing was tried."""

    exit_status = 2
