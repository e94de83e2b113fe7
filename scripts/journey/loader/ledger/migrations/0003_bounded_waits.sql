-- A file's transaction waits for nobody without end, and doesn't outlive a loader that has vanished. It can be run again.
create or replace function loader.take_file(the_schema text, the_table text, the_bucket text, the_key text,
    out is_ours boolean, out new_id integer, out loaded_id integer, out loaded_etag text) language plpgsql volatile
    as $$ begin
        perform set_config('lock_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '5min', true),
            set_config('tcp_keepalives_idle', '30', true), set_config('tcp_keepalives_interval', '10', true),
            set_config('tcp_keepalives_count', '3', true);
        is_ours := pg_try_advisory_xact_lock(
            hashtextextended(concat_ws(E'\n', the_schema, the_table, the_bucket, the_key), 7310003));
        new_id := nextval('loader.files_file_id_seq');
        perform set_config('journey.file_id', new_id::text, true);
        select file_id, etag into loaded_id, loaded_etag from loader.files
        where table_name = the_table and schema_name = the_schema and bucket = the_bucket and key = the_key
          and status = 'loaded';
    end $$;
