"""The words that the ledger and the run say of files, runs and drift."""

from __future__ import annotations

from enum import Enum


class Word(str, Enum):
    """A text that is one of a few."""

    __str__ = str.__str__


class FileStatus(Word):
    """What became of a version of a file, in `loader.files`."""

    LOADED = "loaded"  # its rows are in the raw table
    FAILED = "failed"  # nothing of it is there, and no later try went well
    REPLACED = "replaced"  # a newer version of the key took its place
    REMOVED = "removed"  # the object vanished, and the source says so
    DUPLICATE = "duplicate"  # the same content is loaded under another key
    RETRIED = "retried"  # a failure or duplicate that a later try settled
    SETTLED = "settled"  # a failure that ended without being loaded
    LOST = "lost"  # its rows weren't as it had brought them; repair took the rest out, and the next load brings it anew


class RunStatus(Word):
    """What became of a run, in `loader.runs`."""

    RUNNING = "running"
    LOADED = "loaded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    KILLED = "killed"


class ChangeKind(Word):
    """How a file or a table differs from what is declared, in `loader.schema_changes`."""

    NEW = "new"
    MISSING = "missing"
    RENAMED = "renamed"
    REORDERED = "reordered"
    TYPE = "type"


class Did(Word):
    """What a load did with a file."""

    LOADED = "loaded"
    REPLACED = "replaced"
    FAILED = "failed"
    SKIPPED = "skipped"
    DUPLICATE = "duplicate"
    REMOVED = "removed"
    SETTLED = "settled"
    BUSY = "busy"
