{#- Keyed hashes: the key never leaves the database, and no reader may read it. A view reads it with its owner's rights;
    a function that did would hash whatever a reader gives it, so that ids could be tried one by one. -#}

{% macro keyed_hash(name, data_type) -%}
    {#- An expression: a value that stands for another, the same wherever it comes. Different ones stay different, and
        the type is the column's: joins, distinct counts and contracts hold. -#}
    {%- set key = "(select secret from " ~ masking_schema() ~ ".key)" -%}
    {%- if data_type in ('integer', 'int', 'int4') -%}
        cast({{ masking_schema() }}.scrambled({{ name }}, 32, {{ key }}) as integer)
    {%- elif data_type in ('bigint', 'int8') -%}
        {{ masking_schema() }}.scrambled({{ name }}, 64, {{ key }})
    {%- elif data_type == 'text' -%}
        left(encode(sha256({{ key }} || convert_to({{ name }}, 'UTF8')), 'hex'), 32)
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "column " ~ name ~ ": pii is hash, which takes integer, bigint and text, and not " ~ data_type
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro masking_schema() -%}
    {{ return(generate_schema_name('masking', none)) }}
{%- endmacro %}

{% macro prepare_masking() -%}
    {#- Makes the key and the function that the views need, once. scrambled is a Feistel network of four rounds: a
        one-to-one map of the numbers of so many bits, whichever the key. -#}
    {%- set schema = masking_schema() -%}
    {%- set is_there = run_query(
        "select to_regprocedure('" ~ schema ~ ".scrambled(bigint, integer, bytea)') is not null"
    ).rows[0][0] -%}
    {%- if not is_there or not run_query("select exists (select from " ~ schema ~ ".key)").rows[0][0] -%}
        {%- call statement('masking') %}
            begin;
            create schema if not exists {{ schema }};
            create table if not exists {{ schema }}.key (
                is_only boolean primary key default true check (is_only), secret bytea not null
            );
            insert into {{ schema }}.key (secret)
            values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
            on conflict do nothing;
            create or replace function {{ schema }}.scrambled(value bigint, bits integer, secret bytea) returns bigint
            language plpgsql immutable strict parallel safe
            set search_path = pg_catalog, pg_temp -- a reader's own sha256() would be handed the key
            as $body$
            declare
                half constant integer := bits / 2;
                low constant bigint := (1::bigint << half) - 1;
                left_half bigint := (value >> half) & low;
                right_half bigint := value & low;
                mixed bigint;
            begin
                for round in 1..4 loop
                    mixed := left_half # (
                        low & ('x' || left(encode(
                            sha256(secret || int8send(right_half * 4 + round)), 'hex'
                        ), 16))::bit(64)::bigint
                    );
                    left_half := right_half;
                    right_half := mixed;
                end loop;
                mixed := (left_half << half) | right_half;
                return case when bits = 32 and mixed > 2147483647 then mixed - 4294967296 else mixed end;
            end $body$;
            commit;
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
