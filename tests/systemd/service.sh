#!/bin/bash
# Runs as root inside a booted systemd with KNS installed over /: the service as an administrator meets it.
# Prints a line a check and ends with the count; exit 1 if one failed.
set -u
passed=0 failed=0

check() {
  local name=$1
  shift
  if "$@" >/tmp/check.log 2>&1; then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    sed 's/^/     /' /tmp/check.log | tail -n 12
  fi
}
not() { ! "$@"; }
within() { # within SECONDS COMMAND…
  local tries=$(($1 * 5))
  shift
  until "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.2
  done
}
active() { [ "$(systemctl is-active "$1")" = active ]; }
main_pid() { systemctl show -P MainPID knsd.service; }
restarted_from() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ] && active knsd.service; }
mode_of() { stat -c '%a %U %G' "$1"; }

systemd-sysusers
systemd-tmpfiles --create
useradd -m alice && usermod -aG kns alice
useradd -m bob

check "the units are well-formed" systemd-analyze verify --man=no /usr/lib/systemd/system/knsd.service /usr/lib/systemd/system/knsd.socket \
  /usr/lib/systemd/system/kns-digest.service /usr/lib/systemd/system/kns-digest.timer
systemctl daemon-reload
check "the socket starts without the daemon" systemctl start knsd.socket
check "the socket is root's and the group's" [ "$(mode_of /run/kns/kns.sock)" = "660 root kns" ]
check "the first question starts the daemon" knsctl status
check "the daemon has said that it is ready" active knsd.service
check "its state is its own" [ "$(mode_of /var/lib/kns)" = "700 kns kns" ]
check "the database cannot be read by others" not su bob -c 'cat /var/lib/kns/kns.db'
check "a member of the group may ask" su alice -c 'knsctl feeds'
check "a member of the group may not read the database" not su alice -c 'cat /var/lib/kns/kns.db'
check "others may not ask" not su bob -c 'knsctl feeds'

mkdir -p /srv/feeds
cat >/srv/feeds/a.xml <<'EOF'
<rss version="2.0"><channel><title>A</title><link>http://a.example/</link>
<item><title>First</title><link>http://a.example/1</link><guid>1</guid></item></channel></rss>
EOF
cd /srv/feeds && python3 -m http.server --bind 127.0.0.1 8099 >/dev/null 2>&1 &
server=$!
within 10 curl -sf http://127.0.0.1:8099/a.xml >/dev/null
check "a feed is read from inside the sandbox" knsctl add http://127.0.0.1:8099/a.xml
check "its item is there" sh -c 'knsctl list | grep -q First'

pid=$(main_pid)
check "reload keeps the process" sh -c "systemctl reload knsd.service && [ \$(systemctl show -P MainPID knsd.service) = $pid ]"
check "a broken configuration does not end a running daemon" sh -c '
  cp /etc/kns/kns.conf /tmp/kns.conf; echo "nonsense = 1" >>/etc/kns/kns.conf; systemctl reload knsd.service; sleep 1
  cp /tmp/kns.conf /etc/kns/kns.conf; knsctl status'
kill -KILL "$pid"
check "after a crash it is back by itself" within 20 restarted_from "$pid"
check "and has lost nothing" sh -c 'knsctl list | grep -q First'
pid=$(main_pid)
kill -STOP "$pid"
check "a daemon that hangs is ended by the watchdog" within 100 restarted_from "$pid"
check "stop ends it in time" timeout 6 systemctl stop knsd.service
check "the socket still listens" active knsd.socket
check "the next question starts it again" knsctl list
check "restart works" systemctl restart knsd.service
check "the weekly digest is written" sh -c 'systemctl start kns-digest.service && grep -q First /var/lib/kns-digest/digest.html && grep -q "<feed" /var/lib/kns-digest/digest.atom'
systemctl stop knsd.socket knsd.service
check "stopped with its socket, there is no daemon" sh -c 'knsctl status; [ $? = 3 ]'
check "the exposure stays below 1.5" sh -c 'systemd-analyze security --no-pager knsd.service | tail -n 1; systemd-analyze security --threshold=15 knsd.service >/dev/null'
check "nothing in the journal above a warning" not sh -c 'journalctl -u knsd.service -p err --no-pager -q | grep -v -i -e watchdog -e "code=killed" -e "Failed with result" -e "kns.conf" | grep .'
kill $server
echo "$passed passed, $failed failed"
[ $failed = 0 ]
