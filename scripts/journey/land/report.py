"""What a person sees of a landing: a progress bar on a terminal, a table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from journey.land.landing import Landing, Tick


@contextmanager
def progress() -> Iterator[Callable[[int], Tick]]:
    """A progress bar on standard error, if that is a terminal.

    Yields:
        What `land` takes as `begin`.
    """
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:

        def begin(files: int) -> Tick:
            task = bar.add_task("", total=files)
            return lambda key: bar.update(task, advance=1, description=key.rpartition("/")[0])

        yield begin


def print_landing(landing: Landing) -> None:
    """Print what was written, prefix by prefix."""
    table = Table(box=None, pad_edge=False)
    table.add_column("prefix")
    for title in ("written", "unchanged", "MB", "seconds"):
        table.add_column(title, justify="right")
    for done in landing.prefixes:
        table.add_row(done.prefix, str(done.written), str(done.unchanged), _megabytes(done.size), f"{done.seconds:.1f}")
    table.add_section()
    table.add_row(
        f"s3://{landing.bucket}",
        str(landing.written),
        str(landing.unchanged),
        _megabytes(landing.size),
        f"{landing.seconds:.1f}",
    )
    console = Console(highlight=False)
    console.print(table)
    console.print(landing.about, markup=False)
    if landing.until:
        console.print(f"Landed what had arrived by {landing.until}.")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"
