#!/bin/sh
# Makes the passwords that compose.cluster.yaml and swarm/stack.yml want, each as a file:
#
#   deploy/make-secrets.sh FOLDER
#
# What is there already is kept. The folder is closed to other accounts and the files are open, because
# the accounts inside the containers are others than the one that runs this.
set -eu
folder=${1:?say where to put them: make-secrets.sh FOLDER}
umask 077
mkdir -p "$folder"
cd "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
put() {
  if [ -e "$1" ]; then return; fi
  printf '%s\n' "$2" >"$1.new"
  chmod 0444 "$1.new"
  mv "$1.new" "$1"
}

put database_password "$(random)"
put database_url "postgres://revenge:$(cat database_password)@database:5432/revenge"
put cache_password "$(random)"
put cache_flags "--requirepass=$(cat cache_password)"
put cache_copy_flags "--requirepass=$(cat cache_password)
--masterauth=$(cat cache_password)"
put cache_url "redis://:$(cat cache_password)@cache:6379"
put search_api_key "$(random)"
put search_config "[server]
api-key = $(cat search_api_key)
data-dir = /data"
put replication_password "$(random)"
put rewind_password "$(random)"
put superuser_password "$(random)"
put patroni_api_password "$(random)"
password=$(cat database_password)
put patroni_database_url \
  "postgres://revenge:$password@db1:5432,db2:5432,db3:5432/revenge?target_session_attrs=read-write"
