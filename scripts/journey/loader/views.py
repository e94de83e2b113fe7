"""Views that stand on a raw table: taken away while a column changes its type, and put back as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql

from journey.errors import JourneyError
from journey.loader.declaration.sources import Source
from journey.loader.errors import one_line
from journey.loader.tables import identifier, in_words


class View(NamedTuple):
    """A view, and all that would go with it.

    Attributes:
        schema: where it is.
        name: its name.
        kind: `v`; anything else can't be put back.
        definition: its query.
        options: such as security_barrier=true.
        owner: who owns it.
        extras: statements that give it back its grants and comments.
    """

    schema: str
    name: str
    kind: str
    definition: str
    options: Sequence[str]
    owner: str
    extras: Sequence[str]

    @property
    def identifier(self) -> sql.Identifier:
        """For SQL."""
        return sql.Identifier(self.schema, self.name)


ON_TABLE = """
    with recursive above (oid, depth) as (
        select to_regclass(%(table)s)::oid, 0
        union
        select rewrite.ev_class, above.depth + 1
        from above join pg_depend as depend on depend.refobjid = above.oid and depend.refclassid = 'pg_class'::regclass
            join pg_rewrite as rewrite on rewrite.oid = depend.objid and depend.classid = 'pg_rewrite'::regclass
        where rewrite.ev_class <> above.oid and above.depth < 100),
    views as (select oid, max(depth) as depth from above where depth > 0 group by oid),
    grants as (
        select views.oid, format('grant %%s%%s on %%s to %%s%%s', privilege_type, quote_column, views.oid::regclass,
                case when grantee = 0 then 'public' else grantee::regrole::text end,
                case when is_grantable then ' with grant option' else '' end) as said
        from views, lateral (
            select '' as quote_column, (aclexplode(relacl)).* from pg_class where pg_class.oid = views.oid
            union all
            select format('(%%I)', attname), (aclexplode(attacl)).* from pg_attribute
            where attrelid = views.oid and attacl is not null) as acl
        where grantee <> (select relowner from pg_class where pg_class.oid = views.oid)
        union all
        select objoid, case when objsubid = 0 then format('comment on view %%s is %%L', objoid::regclass, description)
                else format('comment on column %%s.%%I is %%L', objoid::regclass, attname, description) end
        from pg_description join views on views.oid = objoid and classoid = 'pg_class'::regclass
            left join pg_attribute on attrelid = objoid and attnum = objsubid)
    select nspname, relname, relkind::text, pg_get_viewdef(views.oid), coalesce(reloptions, '{}'),
        relowner::regrole::text, array(select said from grants where grants.oid = views.oid)
    from views join pg_class on pg_class.oid = views.oid join pg_namespace on pg_namespace.oid = relnamespace
    order by depth, nspname, relname"""


def views_on(connection: Connection[Any], source: Source) -> list[View]:
    """The views that stand on a source's table, and those that stand on them; the lowest first."""
    name = identifier(source).as_string(connection)
    return [View(*row) for row in connection.execute(ON_TABLE, {"table": name})]


def take_away(connection: Connection[Any], source: Source, views: Sequence[View]) -> None:
    """Drop views, and nothing else.

    Raises:
        JourneyError: something stands on them that can't be put back.
    """
    others = [view for view in views if view.kind != "v"]
    if others:
        names = ", ".join(f"{view.schema}.{view.name}" for view in others)
        raise JourneyError(f"{in_words(source)}: materialized views stand on it ({names}): drop them first")
    if not views:
        return
    names_ = sql.SQL(", ").join(view.identifier for view in views)
    try:
        with _as_login(connection):
            connection.execute(sql.SQL("drop view {}").format(names_))
    except psycopg.errors.InsufficientPrivilege as error:
        raise JourneyError(
            f"{in_words(source)}: a view on it is another's ({one_line(error)}): run this as a login that is in both "
            "groups, loader and transformer (docs/roles.md)"
        ) from error
    except psycopg.errors.DependentObjectsStillExist as error:
        raise JourneyError(f"{in_words(source)}: a view on it can't be put back: {one_line(error)}") from error


def put_back(connection: Connection[Any], views: Sequence[View]) -> None:
    """Make views again, with their owners, grants and comments.

    Raises:
        JourneyError: one can't stand on the new types.
    """
    for view in views:
        options = sql.SQL(f" with ({', '.join(view.options)})" if view.options else "")
        statement = sql.SQL("create view {}{} as {}").format(view.identifier, options, sql.SQL(view.definition))
        try:
            with _as_login(connection):
                connection.execute(statement)
                for extra in view.extras:
                    connection.execute(sql.SQL(extra))
                connection.execute(sql.SQL(f"alter view {{}} owner to {view.owner}").format(view.identifier))
        except psycopg.errors.ProgrammingError as error:
            raise JourneyError(
                f"view {view.schema}.{view.name} can't stand on the new type ({one_line(error)}): change it so that it "
                "can stand on both, or drop it; nothing was done"
            ) from error


@contextmanager
def _as_login(connection: Connection[Any]) -> Iterator[None]:
    """With all rights of the login, which may act as one of its groups: views are another group's than raw tables."""
    connection.execute("set local role none")
    yield
    connection.execute("set local role to default")
