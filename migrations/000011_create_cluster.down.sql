drop table shared.cluster_nodes;
drop table shared.invalidation_outbox;
drop table shared.leadership;
drop table shared.cluster;
