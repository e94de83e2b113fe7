"""Small changes of the materialization's macros, each of which some test must notice, for `make mutate`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """A broken version.

    Attributes:
        file: of macros/incremental_table.
        name: what is wrong with it.
        old: a text that is in the file once.
        new: what stands there instead.
        guard: a part of the names of tests that are tried first.
        equivalent: why no test can notice, if that is so.
    """

    file: str
    name: str
    old: str
    new: str
    guard: str = ""
    equivalent: str = ""


ENGINE, MAIN, INPUTS = "engine.sql", "incremental_table.sql", "inputs.sql"
MEMBERS, PARTITIONS, STATE = "members.sql", "partitions.sql", "state.sql"
TESTS, TURN = "tests.sql", "turn.sql"

MUTATIONS = [
    Mutation(ENGINE, "the newest file stands for the set", "md5(string_agg({{ column }}, ',' order by {{ column }}))",
             "max({{ column }})", "withdrawn"),
    Mutation(ENGINE, "tables of as many rows are the same",
             "count(*) || ':' || coalesce(sum({{ row_hash('content') }}), 0)", "cast(count(*) as text)", "seed"),
    Mutation(ENGINE, "every build's content is another", "> 300000", "> -1", "comes_out_the_same"),
    Mutation(ENGINE, "a view's definition is not looked at", "md5(pg_get_viewdef('{{ view.relation }}'::regclass))",
             "'view'", "edited"),
    Mutation(ENGINE, "nobody waits for the table", "pg_advisory_xact_lock(hashtextextended('{{ this }}', 0))", "1",
             "one_at_a_time"),
    Mutation(ENGINE, "a new file's dates are forgotten", "from new_files\") -%}", "from new_files where false\") -%}",
             "day_alone"),
    Mutation(ENGINE, "no indexes", "{%- do create_indexes(new) -%}", "", "indexes"),
    Mutation(ENGINE, "partitions are added to", "run_query(\"delete from \" ~ target ~ \" where \" ~ touched)",
             "run_query(\"select 1\")", "promotions_that_came"),
    Mutation(ENGINE, "what is not touched is written, too", "        ) as rebuilt\n        where {{ touched }}",
             "        ) as rebuilt", "day_alone",
             equivalent="a model gives rows of those dates alone that it reads; this is for one that would not"),
    Mutation(ENGINE, "a state of another version is kept", "{%- if there != 'version ' ~ version -%}",
             "{%- if not there -%}", "earlier_version"),
    Mutation(MAIN, "the remembered state is not written", "    {%- do remember(work, target) -%}\n", "", "day_alone"),
    Mutation(MAIN, "a dropped table is taken for there", "{%- set is_whole = is_whole or kind != 'table' -%}", "",
             "changed_by_hand"),
    Mutation(MAIN, "--full-refresh is not heard", "flags.FULL_REFRESH or not now.is_known", "not now.is_known",
             "changed_by_hand"),
    Mutation(MAIN, "inputs without a state are trusted", "or not now.is_known or", "or", "unknown"),
    Mutation(MAIN, "changed code rebuilds nothing",
             "or now.inputs_hash != now.remembered_hash", "", "edited"),
    Mutation(MAIN, "a whole build forgets nothing", "{%- if is_whole -%}{%- do forget_partitions",
             "{%- if false -%}{%- do forget_partitions",
             "time_zone"),
    Mutation(MAIN, "files keep their dates under another view",
             "forget_partitions(now.views_hash == now.remembered_views_hash)", "forget_partitions(true)", "time_zone"),
    Mutation(MAIN, "descriptions wait for a build", "work.is_whole or work.docs_hash != work.remembered_docs_hash",
             "work.is_whole", "description"),
    Mutation(MAIN, "written descriptions are not remembered", "        {%- do remember_docs(work) -%}\n", "",
             equivalent="they are written once more, to the same words"),
    Mutation(MAIN, "grants are left out", "    {%- do apply_grants(target, config.get('grants'), "
             "should_revoke(load_cached_relation(this), work.is_whole)) -%}\n", "", "hooks"),
    Mutation(MAIN, "no hooks before", "{{ run_hooks(pre_hooks, inside_transaction=True) }}", "", "hooks"),
    Mutation(MAIN, "no hooks after", "{{ run_hooks(post_hooks, inside_transaction=True) }}", "", "hooks"),
    Mutation(MAIN, "hooks outside the transaction are left out",
             "{{ run_hooks(post_hooks, inside_transaction=False) }}", "", "hooks"),
    Mutation(MAIN, "the model's own partitions are read of its inputs",
             "{%- set starts = partitions_of(days, table.partition_by.granularity) -%}",
             "{%- set starts = work.partitions.keys() | list -%}", "promotions_that_came"),
    Mutation(MAIN, "inputs are read whole",
             "{%- set narrow.sql = narrow.sql | replace(table.relation, rows) -%}\n    {%- endfor -%}\n"
             "    {%- for table in work.inputs.spans",
             "{%- endfor -%}\n    {%- for table in work.inputs.spans", "day_alone",
             equivalent="the rows that are written are filtered by date; only the time differs, see make explain"),
    Mutation(MAIN, "many partitions are replaced one by one", "and is_most(partitions)", "and false",
             "one_whole_build"),
    Mutation(MAIN, "what most partitions were built from is not forgotten", "{%- do forget_partitions(true) -%}", "",
             "one_whole_build"),
    Mutation(INPUTS, "partitioned inputs count as a whole", "by_partition and not view and input.partition_by",
             "false", "promotions_that_came"),
    Mutation(INPUTS, "a new version rebuilds all that have its key",
             "{%- elif not (by_partition and is_versioned and noun ~ '_key' in keys_above) -%}", "{%- else -%}",
             "late_extract"),
    Mutation(INPUTS, "views are not looked at", "{%- do inputs.views.append(input) -%}", "", "edited"),
    Mutation(INPUTS, "what is behind a view is not looked at",
             "{%- do collect_inputs(node, read, inputs, keys_above, input) -%}", "", "day_alone"),
    Mutation(INPUTS, "dimensions count as a whole",
             "by_partition and read.name.startswith('dim_') and noun ~ '_key' "
             "in node.columns", "false", "late_extract"),
    Mutation(INPUTS, "whole inputs are not looked at", "        {%- do states.append(state_of(input)) -%}\n", "",
             "seed"),
    Mutation(INPUTS, "files of a model in one piece are not looked at",
             "        {%- do states.append(loaded_files_hash(file_input)) -%}\n", "", "coupons_that_came"),
    Mutation(INPUTS, "the compiled SQL is not looked at", "{%- set code = [names.code] -%}", "{%- set code = [] -%}",
             "edited"),
    Mutation(INPUTS, "types and constraints are not looked at",
             "{%- do code.append(column.name ~ ' ' ~ column.data_type ~ ' ' ~ column.constraints) -%}", "", "contract"),
    Mutation(INPUTS, "keys are not looked at", "    {%- do code.append(model.constraints) -%}\n", "", "contract"),
    Mutation(INPUTS, "failed and removed files count as loaded",
             "status = 'loaded' and row_count > 0", "true",
             "day_alone"),
    Mutation(INPUTS, "files of all tables count",
             "\n    and schema_name = '{{ file_input.schema }}' and table_name = '{{ file_input.table }}'", "",
             "coupons_that_came"),
    Mutation(INPUTS, "unread attributes count",
             "{%- set read = attributes_read(input) if input.attributes and not input.key else [] -%}",
             "{%- set read = [] -%}", "attribute"),
    Mutation(MEMBERS, "no member ever moves", "{{ return(false) }}\n    {%- endif -%}\n    {%- set query -%}",
             "{%- endif -%}\n    {{ return(false) }}\n    {%- set query -%}", "before_their_product"),
    Mutation(MEMBERS, "members that went are not seen", "where members.member_key is null or remembered.member_key",
             "where remembered.member_key", "before_their_product"),
    Mutation(MEMBERS, "members that came are not seen", "or remembered.member_key is null\n", "\n",
             "before_their_product"),
    Mutation(MEMBERS, "a version's other first day is not seen", "or members.valid_from <> remembered.valid_from or",
             "or", "late_extract"),
    Mutation(MEMBERS, "a version's other last day is not seen", "or members.valid_to <> remembered.valid_to", "",
             "late_extract"),
    Mutation(MEMBERS, "other attributes are not seen", "            or members.attribute_hash <> "
             "remembered.attribute_hash\n", "", "attribute"),
    Mutation(MEMBERS, "no row is rewritten", "        moved.is_rewritten or facts", "        facts", "attribute"),
    Mutation(MEMBERS, "rows before a version's new first day stay", "facts.{{ day }} < moved.valid_from or ", "",
             "late_extract"),
    Mutation(MEMBERS, "rows after a version's new last day stay",
             " or facts.{{ day }} >= moved.valid_to\n    )", "\n    )", "late_extract"),
    Mutation(MEMBERS, "the last day is the version's own", "or facts.{{ day }} >= moved.valid_to",
             "or facts.{{ day }} > moved.valid_to", "late_extract"),
    Mutation(MEMBERS, "rows that wait are found by no day",
             "on facts.{{ day }} >= moved.valid_from and facts", "on facts.{{ day }} > moved.valid_from and facts",
             "before_their_product"),
    Mutation(MEMBERS, "rows that wait stay", "where facts.{{ dimension.key }} = 0", "where false",
             "before_their_product"),
    Mutation(MEMBERS, "members that went stay remembered", "delete from \" ~ state_table('members')",
             "select 1 from \" ~ state_table('members')", "late_extract"),
    Mutation(MEMBERS, "no attribute is read", "{%- do read.append(attribute) -%}", "", "attribute"),
    Mutation(MEMBERS, "every version holds for all time",
             "{{ 'valid_from' if dimension.is_versioned else \"cast('1900-01-01' as date)\" }} as valid_from",
             "cast('1900-01-01' as date) as valid_from", "late_extract"),
    Mutation(PARTITIONS, "partitions that came or went are not touched",
             "present.inputs_hash is distinct from built.inputs_hash", "present.inputs_hash <> built.inputs_hash",
             "day_alone"),
    Mutation(PARTITIONS, "partitions that went stay",
             "    full join built on", "    left join built on", "day_alone"),
    Mutation(PARTITIONS, "partitions that went are remembered",
             "none if hash == 'gone' else hash", "hash", "day_alone"),
    Mutation(PARTITIONS, "moved members touch nothing", "            {%- if moved %}\n",
             "            {%- if false %}\n",
             "before_their_product"),
    Mutation(PARTITIONS, "builds of an input are not told apart",
             "else day) }} as partition_start,\n        '{{ table.name }}:' || below.partition_start || ':' || "
             "below.content_id as",
             "else day) }} as partition_start,\n        '{{ table.name }}:' || below.partition_start as",
             "committed_late"),
    Mutation(PARTITIONS, "a file that comes late has no dates", "\" and file_id not in (\"",
             "\" and file_id > all (\"", "committed_late"),
    Mutation(PARTITIONS, "a week has six days", "'week': 7", "'week': 6", "promotions_that_came"),
    Mutation(PARTITIONS, "weeks begin with the month", "'week': day.weekday()", "'week': day.day - 1",
             "promotions_that_came"),
    Mutation(STATE, "partitions are remembered twice", "\"' and partition_start in (\" ~ as_dates",
             "\"' and false and partition_start in (\" ~ as_dates", "promotions_that_came"),
    Mutation(STATE, "members are not remembered", "{%- do remember_members(dimension) -%}", "", "before_their_product"),
    Mutation(STATE, "a rebuilt table has no new content", "contents_hash() if config.get('partition_by')",
             "\"'same'\" if config.get('partition_by')", "is_repaired"),
    Mutation(STATE, "all builds are one", "(run_started_at.timestamp() * 1000000) | int", "1", "committed_late"),
    Mutation(STATE, "descriptions are all the same", "{{ return('hash ' ~ local_md5(docs | join('|'))) }}",
             "{{ return('hash') }}", "description"),
    Mutation(STATE, "whole builds forget the files' dates always",
             "+ ([] if is_same_views else ['files'])", "+ ['files']",
             equivalent="the files are dated once more, to the same dates"),
    Mutation(TESTS, "a test that failed has passed", "and has_passed and inputs_hash", "and inputs_hash", "data_test"),
    Mutation(TESTS, "a test that passed once has passed",
             " and has_passed and inputs_hash = '\"\n        ~ now.inputs_hash ~ \"'\"", " and has_passed\"",
             "data_test"),
    Mutation(TESTS, "--full-refresh tests nothing again", " and not flags.FULL_REFRESH", "", "data_test"),
    Mutation(TESTS, "what ran is not remembered", "'has_passed': 'false'", "'has_passed': 'true'", "data_test"),
    Mutation(TESTS, "what passed is not remembered", "set has_passed = true", "set has_passed = false", "data_test"),
    Mutation(TURN, "a run that is there is not seen", "{%- if is_there and attempt > 6 -%}", "{%- if false -%}",
             "is_there"),
    Mutation(TURN, "a run that is gone is seen", "{%- if is_there and attempt > 6 -%}", "{%- if attempt > 6 -%}",
             "is_gone"),
    Mutation(TURN, "all of dbt's sessions are the other's", "starts_with(query, '/* dbt \" ~ run_id ~ \"'))\"",
             "starts_with(query, '/* dbt '))\"", "is_gone"),
    Mutation(TURN, "a run does not end its turn", "delete from {{ state_table('builds') }} where run_id",
             "select 1 from {{ state_table('builds') }} where run_id", "is_gone"),
]  # fmt: skip
