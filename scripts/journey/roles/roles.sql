-- What `journey roles` does: readable first, and runnable by hand. It may be run again at any time.
-- Run it as a superuser, or as a login with CREATEROLE that owns the database and what is in it.
begin;
set local lock_timeout = '10s';
set local client_min_messages = warning;

-- 1. The groups. Nobody logs in as one; a login is a member of one.
do $$
declare
    group_name text;
begin
    foreach group_name in array array['{loader}', '{transformer}', '{analyst}', '{developer}', '{pii_reader}'] loop
        if to_regrole(quote_ident(group_name)) is null then
            execute format('create role %I nologin', group_name);
            execute format('comment on role %I is %L', group_name, 'a group of data-journey');
        elsif shobj_description(to_regrole(quote_ident(group_name)), 'pg_authid') is distinct from
            'a group of data-journey'
        then
            raise exception using errcode = 'duplicate_object', message = format(
                'there is a role %s already, of something else: set the variable role_prefix in dbt_project.yml',
                group_name
            );
        end if;
    end loop;
    -- whoever isn't a superuser can only give things to groups that it belongs to
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant {loader}, {transformer} to %I with inherit true, set true', current_user);
    end if;
end $$;
grant {analyst} to {pii_reader}; -- who reads persons' columns in the marts that an analyst reads

-- 2. The database: who makes schemas in it.
do $$
begin
    execute format(
        'grant connect, temporary on database %I to {loader}, {transformer}, {analyst}, {developer}', current_database()
    );
    execute format('grant create on database %I to {loader}, {transformer}, {developer}', current_database());
    if not has_database_privilege('{developer}', current_database(), 'create') then
        raise exception using errcode = 'insufficient_privilege', message = format(
            'only the owner of database %s may let others make schemas in it', current_database()
        );
    end if;
    if has_schema_privilege('public', 'public', 'create') then -- as it was before PostgreSQL 15
        revoke create on schema public from public;
    end if;
end $$;

-- 3. Whose is what: `loader` owns the ledger and the schemas of raw tables, `transformer` what dbt builds.
do $$
declare
    missing text;
begin
    -- now, so that nobody else who may make schemas makes them first
    foreach missing in array {built} loop
        if to_regnamespace(quote_ident(missing)) is null then
            execute format('create schema %I authorization {transformer}', missing);
        end if;
    end loop;
end $$;
create temporary table ours on commit drop as
select
    schemas.oid,
    schemas.nspname,
    case when schemas.is_raw then '{loader}' else '{transformer}' end as owner_name
from (
    select
        oid,
        nspname,
        nspname = 'loader' or exists ( -- the loader made its tables
            select from pg_attrdef
            inner join pg_class on pg_attrdef.adrelid = pg_class.oid
            where
                pg_class.relnamespace = pg_namespace.oid
                and pg_get_expr(pg_attrdef.adbin, pg_attrdef.adrelid) like '%loader.current_file_id()%'
        ) as is_raw
    from pg_namespace
    where nspname not like 'pg\_%' and nspname not in ('information_schema', 'public')
) as schemas
where schemas.is_raw or schemas.nspname = any({built}) or schemas.nspname like 'masked\_%';

do $$
declare
    one record;
begin
    for one in
        select format('schema %I', ours.nspname) as what, ours.owner_name
        from ours
        inner join pg_namespace on ours.oid = pg_namespace.oid
        where pg_namespace.nspowner <> to_regrole(quote_ident(ours.owner_name))
    loop
        execute format('alter %s owner to %I', one.what, one.owner_name);
    end loop;
    for one in
        select
            format(case pg_class.relkind when 'S' then 'sequence %s' else 'table %s' end, pg_class.oid::regclass) as what,
            ours.owner_name
        from ours
        inner join pg_class on ours.oid = pg_class.relnamespace
        where
            pg_class.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            and pg_class.relowner <> to_regrole(quote_ident(ours.owner_name))
            and not exists ( -- a column's sequence goes with its table, an extension's objects stay with it
                select from pg_depend
                where
                    pg_depend.classid = 'pg_class'::regclass
                    and pg_depend.objid = pg_class.oid
                    and (pg_depend.deptype = 'e' or pg_class.relkind = 'S' and pg_depend.deptype in ('a', 'i'))
            )
        union all
        select 'routine ' || pg_proc.oid::regprocedure, ours.owner_name
        from ours
        inner join pg_proc on ours.oid = pg_proc.pronamespace
        where pg_proc.proowner <> to_regrole(quote_ident(ours.owner_name))
    loop
        execute format('alter %s owner to %I', one.what, one.owner_name);
    end loop;
end $$;

-- 4. Who reads what is there now, and nobody else of the groups, whatever they had before.
do $$
declare
    one record;
begin
    for one in select nspname, owner_name from ours loop
        execute format(
            'revoke all on schema %I from public, {analyst}, {developer}, {pii_reader}', one.nspname
        );
        execute format(
            'revoke all on all tables in schema %I from public, {analyst}, {developer}, {pii_reader}', one.nspname
        );
        if one.owner_name = '{loader}' then
            execute format('revoke all on schema %I from {transformer}', one.nspname);
            execute format('revoke all on all tables in schema %I from {transformer}', one.nspname);
            execute format('grant usage on schema %I to {transformer}', one.nspname);
            execute format('grant select on all tables in schema %I to {transformer}', one.nspname);
        else
            execute format('revoke all on schema %I from {loader}', one.nspname);
            execute format('revoke all on all tables in schema %I from {loader}', one.nspname);
        end if;
    end loop;
end $$;

-- The key of the forgotten persons' hashes is the loader's alone.
do $$
begin
    if to_regclass('loader.forgotten_key') is not null then
        revoke all on loader.forgotten_key from {transformer};
    end if;
end $$;

-- 5. Who reads what will be made, too: a new raw table, a masked view that is made anew; and the marts.
alter default privileges for role {loader} grant usage on schemas to {transformer};
alter default privileges for role {loader} grant select on tables to {transformer};
do $$
declare
    one record;
begin
    for one in select nspname from ours where nspname like 'masked\_%' and owner_name = '{transformer}' loop
        execute format('grant usage on schema %I to {developer}', one.nspname);
        execute format('grant select on all tables in schema %I to {developer}', one.nspname);
        execute format(
            'alter default privileges for role {transformer} in schema %I grant select on tables to {developer}',
            one.nspname
        );
    end loop;
    -- marts stand beside the steps on the way to them, which are nobody's: each build grants what it makes
    for one in
        select pg_namespace.nspname, pg_class.relname
        from pg_namespace
        left join pg_class
            on
                pg_namespace.oid = pg_class.relnamespace
                and pg_class.relkind in ('r', 'p', 'v', 'm')
                and pg_class.relname not like 'int\_%'
        where pg_namespace.nspname = any({published})
    loop
        execute format('grant usage on schema %I to {analyst}', one.nspname);
        if one.relname is not null then
            execute format('grant select on %I.%I to {analyst}', one.nspname, one.relname);
        end if;
    end loop;
end $$;
commit;
