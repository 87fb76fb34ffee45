#!/usr/bin/env bash
# A Slurm of one node on this machine, for tests. As root, with slurmctld, slurmd, slurm-client and munge installed.
#
#   slurm_local.sh start DIR   everything in DIR: keys, sockets, state, logs; prints the SLURM_CONF to export
#   slurm_local.sh node DIR    starts the node's daemon again, after it was killed
#   slurm_local.sh stop DIR    ends what start began
#
# SLURM_CPUS says how many jobs run at once (default: the processors there are), SLURM_MAX_ARRAY the array limit.
set -euo pipefail
action=${1:?start, node or stop}
dir=$(realpath -m "${2:?a folder}")
export SLURM_CONF=$dir/slurm.conf
host=$(hostname -s)

# Where nothing reaps orphans a process that ended is still listed, as a zombie.
alive() { [ -e "$1" ] && grep -q '^State:[[:space:]]*[^ZX]' "/proc/$(cat "$1")/status" 2>/dev/null; }

wait_for() { # seconds, what, command ...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "slurm_local.sh: $what did not come up; see the logs in $dir" >&2
      exit 1
    fi
    sleep 0.2
  done
}

idle() { sinfo --noheader --format=%T | grep -qE '^(idle|mixed|allocated)$'; }

configure() {
  local cpus=${SLURM_CPUS:-$(nproc)} base=$((20000 + RANDOM % 10000))
  cat >"$SLURM_CONF" <<C
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$base
SlurmdPort=$((base + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2,requeue_delay=1
MaxArraySize=${SLURM_MAX_ARRAY:-1001}
KillWait=10
SlurmdTimeout=10
SlurmdParameters=config_overrides
MinJobAge=300
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
C
}

node() {
  slurmd -f "$SLURM_CONF"
  wait_for 30 "the node" idle
}

case $action in
  start)
    mkdir -p "$dir"/{state,spool}
    chmod 755 "$dir"
    # A key of its own: what the machine has is left alone.
    (umask 077 && dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 status=none)
    munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
      --log-file="$dir/munged.log" --seed-file="$dir/munged.seed" >/dev/null 2>&1
    wait_for 10 munged test -S "$dir/munge.socket"
    configure
    slurmctld -f "$SLURM_CONF" >/dev/null 2>&1
    wait_for 30 slurmctld scontrol ping
    node
    echo "$SLURM_CONF"
    ;;
  node) node ;;
  stop)
    for name in slurmd slurmctld munged; do
      if alive "$dir/$name.pid"; then kill "$(cat "$dir/$name.pid")"; fi
    done
    end=$((SECONDS + 15))
    for name in slurmd slurmctld munged; do
      while alive "$dir/$name.pid" && [ "$SECONDS" -lt "$end" ]; do sleep 0.2; done
      if alive "$dir/$name.pid"; then kill -KILL "$(cat "$dir/$name.pid")"; fi
    done
    ;;
  *)
    echo "slurm_local.sh: start, node or stop" >&2
    exit 2
    ;;
esac
