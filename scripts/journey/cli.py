"""The `journey` command parses, calls, prints. Exit status 0 all well, 1 something failed, 2 usage or configuration."""

from __future__ import annotations

import errno
import gc
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from journey.errors import JourneyError, UsageError
from journey.spark.commands import spark
from journey.text import did_you_mean, shown

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from journey.loader.declaration.sources import Source
    from journey.loader.outcome import Summary
    from journey.loader.report import Report
    from journey.services import Status


# commands that write raw tables or the ledger, or read what only their owner may
LOADING = ("load", "reload", "replay", "verify", "status", "settle", "repair", "adopt")


def _feeds(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:  # noqa: ARG001 - click's own
    """Sources and their tables that a shell may complete."""
    declared = _external()
    names = {node["source_name"] for node in declared} | {f"{node['source_name']}.{node['name']}" for node in declared}
    return sorted(name for name in names if name.startswith(begun))


def _declared(what: str) -> dict[str, dict[str, Any]]:
    """Nodes, sources or metrics of dbt's manifest as it is, for a key must not wait."""
    from journey.project import project_root

    target = Path(os.environ.get("DBT_TARGET_PATH", "target"))
    with suppress(UsageError, OSError, ValueError, KeyError):
        found: dict[str, dict[str, Any]] = json.loads((project_root() / target / "manifest.json").read_bytes())[what]
        return found
    return {}


def _external() -> list[dict[str, Any]]:
    """Feeds of dbt's manifest."""
    return [node for node in _declared("sources").values() if node.get("external")]


def _kinds(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:  # noqa: ARG001 - click's own
    """Kinds of persons that a shell may complete, as `_feeds` does."""
    found = {
        f"{column['config']['meta']['person']}="
        for node in _external()
        for column in node["columns"].values()
        if "person" in (column.get("config") or {}).get("meta", {})
    }
    return sorted(kind for kind in found if kind.startswith(begun))


def _figures(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:  # noqa: ARG001 - click's own
    """Marts, or the columns of the mart that stands before, that a shell may complete, as `_feeds` does."""
    from journey.tracing.declared import is_mart, layer, measures, trace

    marts = {f"{layer(node)}.{node['name']}": node for node in _declared("nodes").values() if is_mart(node)}
    before = context.params.get("mart")
    node = marts.get(str(before))
    if node is None:
        names = [] if before else list(marts)
    else:
        added = measures(trace(node))
        names = [*added, *(f"{name}=" for name in node["columns"] if name not in added)]
    return sorted(name for name in names if name.startswith(begun))


def _metrics(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:  # noqa: ARG001 - click's own
    """Metrics that a shell may complete, as `_feeds` does."""
    named = {metric["name"] for metric in _declared("metrics").values()}
    return sorted(name for name in named if name.startswith(begun))


SECTIONS = {  # of `journey --help`; a command that none names stands in the last
    "Look and ask": ("metrics", "why", "changes", "watch", "psql", "docs", "site", "status"),
    "Work on models": ("dev", "build", "publish", "contract"),
    "Bring in files": ("load", "scaffold", "reload", "replay", "verify", "settle", "repair", "adopt", "retype"),
    "Try it, set it up, look after it": (),
}


class _Commands(click.Group):
    """Lists commands by what they are for, with whole sentences: click would cut them where a line ends."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its first sentence."""
        left = self.list_commands(context)
        for title, names in SECTIONS.items():
            here = [name for name in names if name in left] or left
            left = [name for name in left if name not in here]
            found = [(name, self.get_command(context, name)) for name in here]
            rows = [(name, one.get_short_help_str(limit=1000)) for name, one in found if one and not one.hidden]
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """click's own; a command that isn't there is told from those that are."""
        if args and not args[0].startswith("-") and self.get_command(context, args[0]) is None:
            near = get_close_matches(args[0], self.list_commands(context), n=1)
            told = f"did you mean `journey {near[0]}`?" if near else "`journey --help` lists the commands."
            context.fail(f"There is no command {args[0]}: {told}")
        return super().resolve_command(context, args)

    def invoke(self, context: click.Context) -> Any:
        """click's own; of a missing argument it is said what it may be, where a shell could complete it."""
        try:
            return super().invoke(context)
        except click.MissingParameter as error:
            known = [one.value for one in error.param.shell_complete(context, "")] if error.param else []
            if known:
                raise click.UsageError(f"{error.format_message()} It may be {', '.join(known)}.", error.ctx) from error
            raise


EPILOG = (
    "Nothing here yet? `make demo` makes everything from nothing, and `journey metrics --target demo` asks it. "
    "docs/analysts.md is for whoever asks or models, docs/commands.md has all commands."
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="journey", prog_name="journey")
@click.pass_context
def cli(context: click.Context) -> None:
    """Bring files from S3 into PostgreSQL, exactly once, and build marts from them."""
    from journey.embedded import ADMIN, DEVELOPER, LOADER, RETYPER, TRANSFORMER, use_embedded

    command = context.invoked_subcommand or ""
    if command != "services":
        other = {"roles": ADMIN, "retype": RETYPER, "forget": RETYPER, "dev": DEVELOPER}
        other |= dict.fromkeys(LOADING, LOADER)
        use_embedded(other.get(command, TRANSFORMER))


@cli.group()
def services() -> None:
    """The embedded PostgreSQL and S3 server, on loopback, under .local/."""


cli.add_command(spark)


@services.command()
def up() -> None:
    """Start what isn't running; wait until it answers."""
    from journey import services as embedded

    _print_services(embedded.up())


@services.command()
def down() -> None:
    """Stop what runs; the data stays."""
    from journey import services as embedded

    _print_services(embedded.down())


@services.command("status")
def services_status() -> None:
    """Say what runs, where, and where its data and log are. Exit status 1 if something is down."""
    from journey import services as embedded

    found = embedded.status()
    _print_services(found)
    if not found or not all(service.running for service in found):
        sys.exit(1)


@cli.command()
def env() -> None:
    """Print the exports that dbt, psql and the AWS CLI need, in any folder: eval "$(journey env)"."""
    from journey.embedded import environment
    from journey.project import local_dir, project_root
    from journey.services.state import State

    state = State.read(local_dir())
    if state is None:
        raise UsageError("the embedded services were never started here: run `journey services up`")
    variables = environment(state)
    if "JOURNEY_LOCAL_DIR" in os.environ:  # else a command of this shell would choose logins of other services
        variables["JOURNEY_LOCAL_DIR"] = str(local_dir())
    with suppress(UsageError):  # JOURNEY_LOCAL_DIR is known outside the project, too
        root = project_root()
        variables["DBT_PROJECT_DIR"] = str(root)
        if (root / "profiles.yml").exists():  # else dbt looks where it always does
            variables["DBT_PROFILES_DIR"] = str(root)
    _print_exports(variables)


def _print_exports(variables: dict[str, str]) -> None:
    """For a shell's `eval`, with the programs of this environment on its path."""
    from journey.services import postgres

    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    bins = os.pathsep.join(map(str, (Path(sys.executable).parent, postgres.bin_dir())))
    click.echo(f'export PATH={shlex.quote(bins)}:"$PATH"')


@cli.command("dev")
@click.argument("name", required=False)
@click.option("--from", "revision", metavar="REVISION", help="What production is built from; main if not said.")
@click.option("--clean", is_flag=True, help="Drop NAME's schemas, and nobody else's.")
def dev_command(name: str | None, revision: str | None, clean: bool) -> None:
    """Give NAME schemas of its own, dev_NAME_…, on top of production: eval "$(journey dev alice)".

    What you haven't built is read where production has it, masked for a developer. `dbt build --select
    state:modified+` then builds what you changed, and what hangs on it. Without NAME it is your own.
    """
    from journey import dev
    from journey.embedded import DEVELOPER, embedded_in_use, environment
    from journey.project import project_root

    root, name = project_root(), dev.name_of(name)
    if clean:
        dropped = dev.clean(root, name)
        click.echo(f"dropped {', '.join(dropped)}" if dropped else f"there is no dev_{name}_…: nothing was dropped")
        return
    state = embedded_in_use()
    opened = dev.open_for(root, name, base="demo" if state else "prod", revision=revision)
    login = {}
    if state and os.environ.get("PGUSER") == DEVELOPER:
        login = {key: value for key, value in environment(state, DEVELOPER).items() if key.startswith("PG")}
    _print_exports({**login, **opened.variables})
    told = " with masked columns" if opened.is_masked else ""
    click.echo(
        f"{opened.schemas}_… is yours; the rest is production's{told}, as built from {opened.revision}.\n"
        "  dbt build --select state:modified+   builds what you changed, and what hangs on it\n"
        f"  journey dev {name} --clean           drops {opened.schemas}_… again",
        err=True,
    )


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: Sequence[str]) -> None:
    """Open psql on the database; what follows is passed on to it."""
    from journey.services import postgres
    from journey.settings import POSTGRES_VARIABLES, encryption

    if not arguments and not any(name in os.environ for name in POSTGRES_VARIABLES):
        raise UsageError(
            "no PostgreSQL is named: start the embedded one with `journey services up`, or set PGHOST and its like"
        )
    program = postgres.psql()
    if encrypted := encryption():
        os.environ["PGSSLMODE"] = encrypted["sslmode"]
    os.execv(program, [str(program), *arguments])  # noqa: S606


@cli.command()
@click.argument("area", required=False)
def contract(area: str | None) -> None:
    """Print what the staging views of AREA must give; without AREA, which areas there are."""
    from journey.contracts import contracts
    from journey.project import project_root

    views = contracts(project_root())
    areas = list(dict.fromkeys(view.area for view in views))
    if area is None:
        for name in areas:
            click.echo(f"{name:<16} {', '.join(view.name for view in views if view.area == name)}")
        return
    if area not in areas:
        raise UsageError(f"there is no area {area}: it may be {', '.join(areas)}{did_you_mean(area, areas)}")
    for view in (view for view in views if view.area == area):
        unique = f"; each {', '.join(view.unique)} once, or the build stops" if view.unique else ""
        one = "".join(f"; each {key} with one {', '.join(names)}" for key, names in view.one.items())
        click.echo(f"\n{view.name}: one row is {view.row}{unique}{one}\n")
        for column in view.columns:
            null = f" Null: {column.may_be_null}." if column.may_be_null else ""
            check = f" Checked: {column.check}." if column.check else ""
            click.echo(f"  {column.name:<28} {column.type:<12} {column.meaning}{null}{check}")


@cli.command("scaffold")
@click.argument("address", metavar="s3://BUCKET/PREFIX")
@click.option("--source", required=True, metavar="NAME", help="Name of the source in dbt: whose files these are.")
@click.option("--table", metavar="NAME", help="Name of the table; else what the last folder is called.")
@click.option("--files", type=click.IntRange(1, 100), default=5, show_default=True, help="So many are looked at.")
@click.option("--dry-run", is_flag=True, help="Print the files; write nothing.")
def scaffold_command(address: str, source: str, table: str | None, files: int, dry_run: bool) -> None:
    """Look at files in S3; write a feed's YAML and its staging view, for a person to check.

    Each guess says in a comment what it rests on, and what couldn't be decided is marked with `# ?`. Of a feed that is
    declared already, say how the files differ from it. No file is overwritten.
    """
    from journey.project import project_root
    from journey.scaffold.run import scaffold, write

    root = project_root()
    done = scaffold(root, address, source, table=table, files=files)
    if dry_run:
        for path, text in done.files.items():
            click.echo(f"--- {path}\n{text}")
    else:
        write(root, done)
        for path in done.files:
            click.echo(f"wrote {path}")
        for path in done.removed:
            click.echo(f"removed {path}, whose place it takes")
    for line in [*(done.differs or ()), *done.said]:
        click.echo(shown(line))


@cli.command("land")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only what arrived by then (2017-03-31)."
)
@click.option("--weeks", type=click.IntRange(1), metavar="N", help="Only what the first N weeks brought.")
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The files of this folder, which has a folder for each feed; in place of land.py.",
)
@click.option("--to", metavar="s3://BUCKET", help="This bucket, of whatever S3 the environment names.")
def land_command(until: datetime | None, weeks: int | None, folder: Path | None, to: str | None) -> None:
    """Write files into the landing bucket, as source systems would: land.py's, or with --from those of a folder.

    The last line says where the data come from and what of them is simulated. They are written to the embedded S3
    server and to no other, unless --to says so. What is there already is not written again.
    """
    from journey.land import land
    from journey.land.report import print_landing, progress

    if until and weeks:
        raise UsageError("--until and --weeks both say where to stop: give one of them")
    if folder and (until or weeks):
        raise UsageError("--from lands all files of a folder: --until and --weeks are for a land.py")
    bucket = re.fullmatch("s3://([^/]+)/?", to) if to is not None else None
    if to is not None and not bucket:
        raise UsageError(f"--to {to} names no bucket: s3://BUCKET does, without a folder")
    with progress() as begin:
        done = land(
            until=until.date() if until else None, weeks=weeks, folder=folder, bucket=bucket and bucket[1], begin=begin
        )
    print_landing(done)


@cli.command()
@click.option("--weeks", type=click.IntRange(1), metavar="N", help="Only the first N weeks of the data.")
def demo(weeks: int | None) -> None:
    """From nothing to tested marts, on the embedded services and the project's own data."""
    from journey import demo as demonstration

    demonstration.run(weeks)


@cli.command("build", context_settings={"ignore_unknown_options": True})
@click.option(
    "--all", "everything", is_flag=True, help="Unit tests too, which a change of code needs and a day doesn't."
)
@click.option("--wait", type=click.IntRange(0), default=0, metavar="SECONDS", help="For the end of another build.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DBT'S OWN]...")
def build_command(everything: bool, wait: int, arguments: Sequence[str]) -> None:
    """Build and test what is new, by `dbt build` without unit tests; what follows is passed on to dbt.

    One build of a target's schemas runs at a time. Ctrl-C and SIGTERM end it at once; no table is left half written.
    Exit status as dbt's; 1 if another build runs.
    """
    from journey.building import build
    from journey.project import project_root

    sys.exit(build(arguments, root=project_root(), everything=everything, wait=wait))


@cli.command("publish", context_settings={"ignore_unknown_options": True})
@click.option("--rollback", is_flag=True, help="Readers see the publication before.")
@click.option("--to", type=click.IntRange(1), metavar="NUMBER", help="With --rollback: that publication.")
@click.option("--list", "listed", is_flag=True, help="The publications that are kept.")
@click.option("--breaking", is_flag=True, help="Though a column that readers have goes or gets another type.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DBT'S OWN]...")
def publish_command(rollback: bool, to: int | None, listed: bool, breaking: bool, arguments: Sequence[str]) -> None:
    """Let readers see the marts that are built, all in one instant; a build does so at its end.

    Not before all of their tests have passed. What follows is passed on to dbt, such as --target prod.
    """
    from journey import publishing
    from journey.project import project_root

    if to is not None and not rollback:
        raise UsageError("--to names the publication for --rollback")
    if (rollback and breaking) or (listed and (rollback or breaking)):
        raise UsageError("--rollback, --list and --breaking: one of them")
    root = project_root()
    if listed:
        sys.exit(publishing.list_publications(arguments, root=root))
    if rollback:
        sys.exit(publishing.roll_back(arguments, root=root, to=to))
    sys.exit(publishing.publish(arguments, root=root, breaking=breaking))


@cli.command("changes")
@click.argument("publication", required=False, type=click.IntRange(1))
@click.option("--target", metavar="TARGET", help="Whose marts, as in dbt, such as prod.")
@click.option("--json", "for_program", is_flag=True, help="One line of JSON; amounts are texts.")
def changes_command(publication: int | None, target: str | None, for_program: bool) -> None:
    """Say how PUBLICATION moved the marts' headline figures, and what did: files, code, seeds.

    Without PUBLICATION, the one that readers see; `journey publish --list` lists those that are kept.
    """
    from journey import changes
    from journey.building import layer_schema
    from journey.project import project_root
    from journey.settings import connect

    schema = layer_schema(project_root(), target or os.environ.get("DBT_TARGET"), "publications")
    with connect() as connection:
        found = changes.read(connection, schema, publication)
    for line in [changes.as_json(found)] if for_program else changes.lines(found):
        click.echo(line if for_program else shown(line))


@cli.command("watch")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="As if it were that day; today if not given."
)
@click.option("--target", metavar="TARGET", help="Whose marts, as in dbt, such as prod.")
@click.option("--json", "for_program", is_flag=True, help="A line of JSON for each alert, and nothing else.")
@click.option(
    "--webhook", envvar="JOURNEY_WEBHOOK_URL", metavar="URL", help="Where alerts are posted; or JOURNEY_WEBHOOK_URL."
)
def watch_command(as_of: datetime | None, target: str | None, for_program: bool, webhook: str | None) -> None:
    """Say which newest figures of feeds and marts are unlike their own past, and which feeds are late.

    Exit status 1 if one is, or if the webhook didn't take it.
    """
    from journey.embedded import use_embedded
    from journey.project import project_root
    from journey.watch import figures
    from journey.watch.webhook import checked, post

    url = checked(webhook) if webhook else None
    use_embedded()
    day = (as_of or datetime.now()).date()
    found = figures.read(project_root(), as_of=day, target=target)
    alerts = [figure for figure in found if figure.is_alert]
    for line in map(figures.as_json, alerts) if for_program else figures.lines(found):
        click.echo(line)
    if not for_program:
        click.echo(f"{len(alerts)} of {len(found)} figures need a look" if found else "nothing is watched")
    if url and alerts:
        post(url, alerts)
    sys.exit(1 if alerts else 0)


@cli.command("roles")
@click.option("--sql", "only_say", is_flag=True, help="Print the SQL, for a DBA to read or run; do nothing.")
def roles_command(only_say: bool) -> None:
    """Make the database's groups (loader, transformer, analyst, developer, pii_reader) and give each what is its own.

    What is there already goes over to them; their grants survive every build. It may be run again at any time, by a
    superuser or a login with CREATEROLE that owns the database.
    """
    from journey import roles
    from journey.project import project_root
    from journey.settings import connect

    names = roles.names_of(project_root())
    if only_say:
        click.echo(roles.statements(names), nl=False)
        return
    with connect(autocommit=True) as connection:
        roles.apply(connection, names)
    made = ", ".join(names.prefix + group for group in roles.GROUPS)
    click.echo(f"{made}: analysts read {', '.join(names.published)}")


@cli.command("metrics")
@click.argument("names", nargs=-1, metavar="[METRIC]...", shell_complete=_metrics)
@click.option("--by", multiple=True, metavar="NAME", help="A row for each: metric_time__month, store, department …")
@click.option(
    "--where", multiple=True, metavar="CONDITION", help="Only these: \"{{ Entity('department') }} = 'GROCERY'\"."
)
@click.option("--order", multiple=True, metavar="NAME", help="Rows in this order; -NAME begins with the largest.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many rows.")
@click.option("--saved", metavar="NAME", help="A saved query, in place of metrics.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--sql", "only_say", is_flag=True, help="Print the SQL; ask nothing.")
@click.option("--target", metavar="TARGET", help="Whose marts, as in dbt: prod, or demo.")
def metrics_command(
    names: Sequence[str],
    by: Sequence[str],
    where: Sequence[str],
    order: Sequence[str],
    limit: int | None,
    saved: str | None,
    as_csv: bool,
    only_say: bool,
    target: str | None,
) -> None:
    """Ask for figures by their metrics; without METRIC, list them with what they mean and may be asked by.

    The published marts are read, with the rights of the login that the environment names.
    """
    from journey.metrics import Metrics, Question
    from journey.project import project_root

    if saved and (names or by):
        raise UsageError("--saved names metrics and rows itself: leave METRIC and --by out")
    if not (names or saved) and (by or where or order or limit or as_csv or only_say):
        raise UsageError("of which metric? `journey metrics` lists them")
    metrics = Metrics(project_root(), target)
    if not (names or saved):
        for name, meaning, groups in metrics.listed():
            click.echo(f"{name}\n    {meaning}\n    by {', '.join(groups)}")
        for name, meaning in metrics.saved():
            click.echo(f"--saved {name}\n    {meaning}")
        return
    question = Question(names, by, where, order, limit, saved)
    if only_say:
        click.echo(metrics.sql(question))
        return
    answer = metrics.ask(question)
    click.echo(answer.csv() if as_csv else answer.table())


@cli.command()
@click.option("--target", metavar="TARGET", help="Whose schemas, as in dbt; `demo` for what `journey demo` built.")
def docs(target: str | None) -> None:
    """Write the whole site: figures and charts of the marts, and models, columns, tests, lineage."""
    from journey import site
    from journey.project import project_root

    click.echo(site.write(project_root(), target).as_uri())


@cli.command("site")
@click.option("--target", metavar="TARGET", help="Whose schemas, as in dbt; `demo` for what `journey demo` built.")
def site_command(target: str | None) -> None:
    """Write the pages of figures and charts alone, of what is published now: after a build, or a change of a chart."""
    from journey import site
    from journey.project import project_root

    click.echo(site.write_pages(project_root(), target).as_uri())


@cli.command("why")
@click.argument("mart", metavar="SCHEMA.MART", shell_complete=_figures)
@click.argument("figure", nargs=-1, required=True, metavar="[COLUMN=VALUE]... MEASURE", shell_complete=_figures)
@click.option(
    "--limit", type=click.IntRange(1), default=10, show_default=True, help="So many rows are looked up in their files."
)
@click.option("--csv", "out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="All rows, as CSV.")
def why_command(mart: str, figure: Sequence[str], limit: int, out: Path | None) -> None:
    """Trace a published figure: to the fact's rows, the raw rows, and the lines of the files that make it.

    The rows of the mart are those with the values that are given; the figure is their sum. Exit status 1 if it isn't
    what they add up to.
    """
    from journey.lean import prepare

    prepare()
    from journey.project import project_root
    from journey.tracing import report

    keys = dict(word.split("=", 1) for word in figure if "=" in word)
    asked = [word for word in figure if "=" not in word]
    if len(asked) != 1 or len(keys) + 1 != len(figure):
        raise UsageError("after the mart come COLUMN=VALUE, each column once, and one MEASURE: net_sales_amount")
    traced = report.trace(project_root(), mart, asked[0], keys, limit=None if out else limit)
    if out:
        with out.open("w", newline="") as file:
            click.echo(f"{report.write_csv(traced, file):,} lines written to {out}\n")
    for line in report.lines(traced, asked[0], keys, limit=limit):
        click.echo(line)
    sys.exit(0 if traced.agrees else 1)


@cli.command("load")
@click.option(
    "--select",
    "-s",
    "selected",
    multiple=True,
    metavar="SOURCE[.TABLE]",
    help="Only these, as in dbt.",
    shell_complete=_feeds,
)
@click.option("--dry-run", is_flag=True, help="Say what would load, and why; load nothing.")
@click.option("--reload", multiple=True, metavar="KEY", help="Load this file again though it is loaded.")
@click.option("--as-new", is_flag=True, help="Load files that seem to have been moved beside the old ones.")
@click.option("--max-files", type=click.IntRange(min=0), help="Load at most so many files.")
@click.option("--threads", type=click.IntRange(min=1), default=4, show_default=True, help="Files side by side.")
@click.option("--engine", type=click.Choice(["postgres", "spark"]), default="postgres", show_default=True)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def load_command(
    selected: Sequence[str],
    dry_run: bool,
    reload: Sequence[str],
    as_new: bool,
    max_files: int | None,
    threads: int,
    engine: str,
    log_format: str,
) -> None:
    """Load what is in S3 and not yet in PostgreSQL, or in Spark (docs/scale-out.md), each file exactly once.

    Exit status 0: all is loaded. 1: a file failed, the others are loaded. 2: usage or configuration, nothing was tried.
    """
    if engine == "spark":
        from journey.spark.cluster import use_cluster
        from journey.spark.loading import load as load_spark

        use_cluster()
        _load(
            lambda report: load_spark(
                selected, dry_run=dry_run, reload=reload, as_new=as_new, max_files=max_files, threads=threads,
                report=report,
            ),
            log_format,
        )  # fmt: skip
    from journey.lean import prepare

    prepare()
    from journey.loader.run import load

    _load(
        lambda report: load(
            selected, dry_run=dry_run, reload=reload, as_new=as_new, max_files=max_files, threads=threads, report=report
        ),
        log_format,
    )


@cli.command("reload")
@click.argument("selected", nargs=-1, required=True, metavar="SOURCE[.TABLE]...", shell_complete=_feeds)
@click.option("--threads", type=click.IntRange(min=1), default=4, show_default=True, help="Files side by side.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def reload_command(selected: Sequence[str], threads: int, log_format: str) -> None:
    """Load every file of a table again, each in place of the rows that it gave before.

    Exit status as `journey load`.
    """
    from journey.lean import prepare

    prepare()
    from journey.loader.run import load

    _load(lambda report: load(selected, reload_all=True, threads=threads, report=report), log_format)


@cli.command("replay")
@click.argument("selected", nargs=-1, required=True, metavar="SOURCE[.TABLE]...", shell_complete=_feeds)
def replay_command(selected: Sequence[str]) -> None:
    """Read refused rows again, after the declaration was put right; each row that is good now loads exactly once.

    Exit status as `journey load`.
    """
    from journey.loader.replaying import replay
    from journey.loader.report import TextReport, summary_lines

    summary, said = replay(_sources(selected), report=TextReport())
    for line in [*said, *summary_lines(summary, as_json=False)]:
        click.echo(line)
    for failure in summary.failures:
        click.echo(failure, err=True)
    sys.exit(summary.exit_status)


@cli.command("verify")
@click.argument("selected", nargs=-1, metavar="[SOURCE[.TABLE]]...", shell_complete=_feeds)
@click.option("--files", type=click.IntRange(min=1), default=3, show_default=True, help="Newest and oldest of a table.")
@click.option("--all", "every", is_flag=True, help="All loaded files.")
def verify_command(selected: Sequence[str], files: int, every: bool) -> None:
    """Read loaded files again as they are declared now, and compare each row with the raw table; nothing is changed.

    Exit status 1 if a file would be read otherwise than it was.
    """
    from journey.loader.verifying import all_lines

    said, agrees = all_lines(_sources(selected), files=None if every else files)
    for line in said:
        click.echo(line)
    sys.exit(0 if agrees else 1)


@cli.command("status")
@click.option(
    "--select",
    "-s",
    "selected",
    multiple=True,
    metavar="SOURCE[.TABLE]",
    help="Only these, as in dbt.",
    shell_complete=_feeds,
)
def status_command(selected: Sequence[str]) -> None:
    """Say how each raw table stands: files, rows, rejects, newest file, lag, failures, drift.

    Exit status 1 if a file failed and wasn't loaded since.
    """
    from journey.loader.report import status_lines
    from journey.loader.run import status

    tables = status(selected)
    for line in status_lines(tables):
        click.echo(line)
    sys.exit(1 if any(table.failed for table in tables.values()) else 0)


@cli.command("settle")
@click.argument("key")
@click.option("--because", required=True, metavar="REASON", help="Why; the ledger keeps it.")
@click.option(
    "--select",
    "-s",
    "selected",
    multiple=True,
    metavar="SOURCE[.TABLE]",
    help="Only these, as in dbt.",
    shell_complete=_feeds,
)
def settle_command(key: str, because: str, selected: Sequence[str]) -> None:
    """End the failure of the file KEY, or waive the refused rows of it if it is loaded."""
    from journey.loader.settling import settle

    for line in settle(_sources(selected), key, because):
        click.echo(shown(line))


@cli.command("repair")
@click.argument("source", metavar="SOURCE[.TABLE]", shell_complete=_feeds)
@click.option("--yes", is_flag=True, help="Do it; else only say what would be done.")
def repair_command(source: str, yes: bool) -> None:
    """Count each file's rows against the ledger; bring together what doesn't agree.

    Rows that the ledger knows no file for go into a table of their own. Files whose rows are gone, in part or
    altogether, are loaded anew by the next load; of those that are no longer in S3, what is there stays.
    """
    from journey.loader.repairing import repair

    for one in _sources([source]):
        for line in repair(_client(one), one, yes=yes):
            click.echo(shown(line))


@cli.command("retype")
@click.argument("source", metavar="SOURCE.TABLE", shell_complete=_feeds)
@click.option("--yes", is_flag=True, help="Do it; else only say what would be done.")
def retype_command(source: str, yes: bool) -> None:
    """Give columns that came as another type the one that is declared by now.

    Values are read as declared. Rows with one that doesn't fit go to loader.rejected_rows; views on the table are kept.
    """
    from journey.loader.retyping import retype

    for one in _sources([source]):
        for line in retype(one, yes=yes):
            click.echo(shown(line))


@cli.command("adopt")
@click.argument("source", metavar="SOURCE[.TABLE]", shell_complete=_feeds)
@click.option("--yes", is_flag=True, help="Do it; else only say what would be done.")
def adopt_command(source: str, yes: bool) -> None:
    """Take over files that were moved: the ledger learns their new bucket and key, and nothing is loaded again."""
    from journey.loader.adopting import adopt

    for one in _sources([source]):
        for line in adopt(_client(one), one, yes=yes):
            click.echo(shown(line))


@cli.command("forget")
@click.argument("person", metavar="KIND[=ID]", shell_complete=_kinds)
@click.option("--dry-run", is_flag=True, help="Say what there is of the person; change nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--even-if-unknown", is_flag=True, help="Also if nothing is here, for files that are still to come.")
@click.option("--target", metavar="TARGET", help="Then build and publish this target of dbt's, such as prod.")
def forget_command(person: str, dry_run: bool, yes: bool, even_if_unknown: bool, target: str | None) -> None:
    """Take a person out of raw tables, refused rows and snapshots, for good; nobody notes who it was.

    KIND is what the sources' YAML calls it (customer_id), ID the id as it is in the raw tables; without, it is asked
    for. Files that come again are read without the person. Marts hold the person until they are built.
    """
    from journey.building import build_as_builder
    from journey.loader.declaration.persons import snapshots
    from journey.loader.declaration.sources import load_manifest, load_sources
    from journey.loader.forgetting import forget
    from journey.project import project_root

    kind, _, value = person.partition("=")
    value = value or click.prompt("ID", hide_input=True)  # which then stands in no shell's history
    root = project_root()
    sources, kept = load_sources(root), snapshots(load_manifest(root), kind)
    found = forget(sources, kind, value, kept)
    for line in found.said:
        click.echo(shown(line))
    if dry_run or not (found.is_known or even_if_unknown):
        sys.exit(0 if found.is_known else 1)
    if not yes:
        click.confirm("That can't be undone. Do it?", abort=True)
    done = forget(sources, kind, value, kept, yes=True, even_if_unknown=even_if_unknown)
    for line in done.said:
        if line not in found.said:
            click.echo(shown(line))
    click.echo("done: files that come again are read without the person")
    if target is None:
        click.echo("marts hold the person until a build: journey build --target prod, with the login that builds")
    else:
        sys.exit(build_as_builder(target, root=root))


def _load(work: Callable[[Report], Summary], log_format: str) -> NoReturn:
    """Do a load, and tell of it."""
    from journey.loader.report import JsonReport, TextReport, summary_lines

    summary = work(JsonReport() if log_format == "json" else TextReport())
    for line in summary_lines(summary, as_json=log_format == "json"):
        click.echo(line)
    sys.exit(summary.exit_status)


def _client(source: Source) -> S3Client:
    from journey.settings import s3_client

    return s3_client(anonymous=source.options.anonymous)


def _sources(selected: Sequence[str]) -> Sequence[Source]:
    from journey.loader.declaration.sources import load_sources, select
    from journey.project import project_root

    return select(load_sources(project_root()), selected)


def _print_services(found: Sequence[Status]) -> None:
    if not found:
        click.echo("the embedded services were never started here: run `journey services up`")
    for service in found:
        click.echo(
            f"{service.name:<14} {'up' if service.running else 'down':<5} {service.address:<24} {service.detail}"
        )


def main() -> None:
    """Entry point: a JourneyError is one line on standard error, never a traceback."""
    gc.set_threshold(100_000)  # imports, models and manifests are many objects and hardly any garbage
    try:
        try:
            cli(prog_name="journey")
        except SystemExit as done:  # so click ends
            if "journey.lean" in sys.modules and isinstance(done.code, int):
                sys.modules["journey.lean"].leave(done.code)
            raise
    except JourneyError as error:
        click.echo(f"journey: {shown(str(error))}", err=True)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to print has no room either
        where = f": {shown(str(error.filename))}" if error.filename else ""
        click.echo(f"journey: no space is left on a disk{where}; make room, and run it again", err=True)
        sys.exit(1)
