-- Whether somebody is a party elsewhere is asked by index, however often the values that are there repeat:
-- the commonest account says nothing about the one asked for, and a plan that expects to find it soon reads
-- everything for somebody who is nowhere.

set role conduct_gate;
alter function conduct_gate.recused_from(uuid[], uuid, bytea[], bytea[], bytea[]) set enable_seqscan = off;
reset role;
