#!/bin/sh
# Writes who may do what, from the mounted passwords, and becomes Redis. Runs as nobody in particular,
# on a root file system that it cannot write to.
set -eu

digest() {
    printf %s "$(cat "/run/secrets/redis/$1")" | sha256sum | cut -d ' ' -f 1
}

# default: whoever gives no password may ask whether Redis lives, and nothing else.
# operator: reads what is reported, keeps what it knows, wishes a vehicle awake.
# gateway: reports, and reads the wishes. What others reported it may not read: it tells who is away.
# probe: asks whether the log of writes is read; it runs in this pod, and can see no key.
operator=$(digest operator-password)
gateway=$(digest gateway-password)
umask 077
cat > /run/redis/users.acl <<EOF
user default on nopass resetkeys resetchannels -@all +ping +hello +auth
user operator on #$operator resetkeys ~idlewatt:* resetchannels -@all +ping +hello +auth +select +client|setname +client|setinfo +client|id +multi +exec +discard +get +set +hset +hscan +hget +hgetall +hdel +xread +xrange +xlen +xinfo|stream +xadd
user gateway on #$gateway resetkeys %W~idlewatt:telemetry ~idlewatt:wake resetchannels -@all +ping +hello +auth +select +client|setname +client|setinfo +client|id +multi +exec +discard +xadd +xread +xrange +xlen +xgroup|create +xreadgroup +xack +xautoclaim
EOF
exec redis-server /etc/redis/redis.conf --aclfile /run/redis/users.acl
