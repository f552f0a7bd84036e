#!/bin/sh
# Called by Patroni once, when the first member has made its PostgreSQL: the role and database of the nodes.
# $1 is how to connect. The password goes in on standard input, so that no process list shows it.
set -eu
psql --dbname "$1" --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<SQL
set password_encryption = 'scram-sha-256';
create role revenge login password '$(cat /run/secrets/database_password)';
create database revenge owner revenge;
SQL
