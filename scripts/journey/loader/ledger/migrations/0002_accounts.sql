-- Every delivered row is loaded, rejected or waived; failures end; drift ends; versions know what they replace.
-- Each step may be run again: a ledger whose tables were emptied has forgotten what it is.
create table if not exists loader.migrations (
    number integer primary key,
    name text not null,
    applied_at timestamptz not null default clock_timestamp()
);
alter table loader.files
    add column if not exists delivered_count bigint,
    add column if not exists waived_count bigint not null default 0,
    add column if not exists replaces integer,
    add column if not exists moved_from text,
    add column if not exists settled_at timestamptz,
    add column if not exists settled_by text,
    add column if not exists settled_because text;
-- What earlier loaders read is what they loaded and refused: they counted nothing else.
update loader.files set delivered_count = row_count + rejected_count
where delivered_count is null and status in ('loaded', 'replaced', 'removed');
alter table loader.files
    drop constraint if exists files_status_check,
    drop constraint if exists files_rows_add_up,
    drop constraint if exists files_failed_have_no_rows,
    drop constraint if exists files_settled_for_a_reason,
    add constraint files_status_check check (
        status in ('loaded', 'failed', 'replaced', 'removed', 'duplicate', 'retried', 'settled', 'lost')),
    add constraint files_rows_add_up check (
        case when status in ('loaded', 'replaced', 'removed', 'lost')
            then delivered_count is not null and delivered_count = row_count + rejected_count + waived_count
            when status = 'settled' then coalesce(delivered_count = row_count + rejected_count + waived_count, true)
            else coalesce(delivered_count >= row_count + rejected_count + waived_count, true)
        end),
    add constraint files_failed_have_no_rows check (row_count = 0 or status in ('loaded', 'replaced', 'removed', 'lost')),
    add constraint files_settled_for_a_reason check (
        status <> 'settled' or (settled_at is not null and settled_by is not null and settled_because is not null));
create index if not exists files_key on loader.files (table_name, schema_name, bucket, key);
drop index if exists loader.files_open_key;
alter table loader.rejected_rows
    alter column line_number drop not null,
    add column if not exists waived_at timestamptz;
alter table loader.schema_changes add column if not exists closed_at timestamptz;
alter table loader.runs add column if not exists has_lock boolean not null default true;
