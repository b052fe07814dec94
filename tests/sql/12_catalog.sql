\set ON_ERROR_STOP on
set search_path = pg_catalog;
\i sql/catalog.sql
;
