drop table library_arrivals;
