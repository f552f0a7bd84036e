-- One number per start of a node that stands alone: its cache clock counts from epoch * 2^32, so
-- that what an earlier run left in a shared cache is older than anything of this run.
create sequence shared.clock_epoch as integer minvalue 1 start with 1 no cycle;
