-- The names of a file's fields, in its order, where rows of it were refused: kept rows can be read again without the file.
alter table loader.files add column if not exists field_names text[];
