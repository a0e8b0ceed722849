#!/bin/sh
# Writes who may do what, from the mounted passwords, and becomes Redis. The root file system is read only.
set -eu

PASSWORDS=${PASSWORDS:-/run/secrets/redis}
CONFIG=${CONFIG:-/etc/redis/redis.conf}
USERS=${USERS:-/run/redis/users.acl}

digest() {
    password=$(cat "$PASSWORDS/$1")
    if [ -z "$password" ]; then
        echo "The Secret has no $1: an empty one would let in everybody. Put one there." >&2
        exit 1
    fi
    printf %s "$password" | sha256sum | cut -d ' ' -f 1
}

# default: whoever gives no password may ask whether Redis lives, and nothing else.
# operator: reads what is reported, keeps what it knows, wishes a vehicle awake.
# gateway: reports, and reads the wishes. What was reported it may not read: that tells who is away.
connection='resetkeys resetchannels -@all +ping +hello +auth +select +client|setname'
operator=$(digest operator-password)
gateway=$(digest gateway-password)
umask 077
cat > "$USERS" <<EOF
user default on nopass resetkeys resetchannels -@all +ping +hello +auth
user operator on #$operator $connection ~idlewatt:* +multi +exec +discard +get +set +hget +hset +hkeys +hscan +hdel +xadd +xread +xlen +xinfo
user gateway on #$gateway $connection %W~idlewatt:telemetry %R~idlewatt:wake %R~idlewatt:charging %W~idlewatt:charging:answers +xadd +xread +xrange +xrevrange
EOF
exec redis-server "$CONFIG" --aclfile "$USERS"
