-- Which journey a run was of; of runs before this step it isn't known.
alter table loader.runs add column if not exists program_version text;
