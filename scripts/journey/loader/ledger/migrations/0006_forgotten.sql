-- Who asked to be forgotten, without who: a keyed hash of the id, by which files that come again are read without them.
create table if not exists loader.forgotten (
    kind text not null,
    id_hash bytea not null,
    pseudonym text not null,
    forgotten_at timestamptz not null default clock_timestamp(),
    forgotten_by text not null,
    times integer not null default 1,
    removed_count bigint not null default 0,
    renamed_count bigint not null default 0,
    primary key (kind, id_hash)
);
-- With it, all ids that there may be could be hashed and compared: nobody but the loader reads it.
create table if not exists loader.forgotten_key (
    is_only boolean primary key default true check (is_only),
    secret bytea not null
);
insert into loader.forgotten_key (secret) values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
on conflict do nothing;
do $$ declare other text; begin
    for other in select distinct grantee::regrole::text from pg_class, aclexplode(relacl)
                 where oid = 'loader.forgotten_key'::regclass and grantee <> relowner and grantee <> 0 loop
        execute format('revoke all on loader.forgotten_key from %s', other);
    end loop;
    revoke all on loader.forgotten_key from public;
end $$;
-- Rows of forgotten persons are withheld: delivered = loaded + rejected + waived + withheld.
alter table loader.files
    add column if not exists withheld_count bigint not null default 0,
    drop constraint if exists files_rows_add_up,
    add constraint files_rows_add_up check (
        case when status in ('loaded', 'replaced', 'removed', 'lost')
            then delivered_count is not null
                and delivered_count = row_count + rejected_count + waived_count + withheld_count
            when status = 'settled'
            then coalesce(delivered_count = row_count + rejected_count + waived_count + withheld_count, true)
            else coalesce(delivered_count >= row_count + rejected_count + waived_count + withheld_count, true)
        end);
-- Takes a file; as long as its transaction lasts nobody is forgotten, and it is told how many were.
create or replace function loader.begin_file(the_schema text, the_table text, the_bucket text, the_key text,
    out is_ours boolean, out new_id integer, out loaded_id integer, out loaded_etag text, out forgotten_count bigint)
    language plpgsql volatile as $$ begin
        perform set_config('lock_timeout', '60s', true);
        perform pg_advisory_xact_lock_shared(7310005);
        select count(*) into forgotten_count from loader.forgotten;
        select taken.is_ours, taken.new_id, taken.loaded_id, taken.loaded_etag
        into is_ours, new_id, loaded_id, loaded_etag
        from loader.take_file(the_schema, the_table, the_bucket, the_key) as taken;
    end $$;
