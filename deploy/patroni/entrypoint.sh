#!/bin/sh
# Patroni reads passwords from variables and not from files: they are set here, for it alone.
set -eu
secret() { cat "/run/secrets/$1"; }
: "${PATRONI_NAME:?the name of this member, as the others reach it}"
PATRONI_POSTGRESQL_CONNECT_ADDRESS="$PATRONI_NAME:5432"
PATRONI_RESTAPI_CONNECT_ADDRESS="$PATRONI_NAME:8008"
PATRONI_SUPERUSER_PASSWORD=$(secret superuser_password)
PATRONI_REPLICATION_PASSWORD=$(secret replication_password)
PATRONI_REWIND_PASSWORD=$(secret rewind_password)
PATRONI_RESTAPI_PASSWORD=$(secret patroni_api_password)
export PATRONI_POSTGRESQL_CONNECT_ADDRESS PATRONI_RESTAPI_CONNECT_ADDRESS PATRONI_SUPERUSER_PASSWORD \
  PATRONI_REPLICATION_PASSWORD PATRONI_REWIND_PASSWORD PATRONI_RESTAPI_PASSWORD
exec "$@"
