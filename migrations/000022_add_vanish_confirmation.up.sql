-- What was missing at that time may be forgotten after the time of grace, however much it is: a
-- person has said so. Null: nobody has.
alter table libraries add column vanished_confirmed_at timestamptz;
