drop sequence shared.clock_epoch;
