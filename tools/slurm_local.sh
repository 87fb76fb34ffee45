#!/usr/bin/env bash
# A Slurm of one node on this machine, for tests. As root, with slurmctld, slurmd, slurm-client and munge installed.
#
#   slurm_local.sh start DIR   everything in DIR: keys, sockets, state, logs; prints the SLURM_CONF to export
#   slurm_local.sh kill DIR    kills the node's daemon as a crash does: what it runs lives on
#   slurm_local.sh node DIR    starts the node's daemon again
#   slurm_local.sh stop DIR    ends what start began
#
# SLURM_CPUS says how many jobs run at once (default: the processors there are), SLURM_MAX_ARRAY the array limit,
# SLURM_PATIENCE after how many seconds a state is said never to come.
set -euo pipefail
action=${1:?start, kill, node or stop}
dir=$(realpath -m "${2:?a folder}")
export SLURM_CONF=$dir/slurm.conf
host=$(hostname -s)
patience=${SLURM_PATIENCE:-180}

# Where nothing reaps orphans a process that ended is still listed, as a zombie.
alive() { [ -e "$1" ] && grep -q '^State:[[:space:]]*[^ZX]' "/proc/$(cat "$1")/status" 2>/dev/null; }

gone() { ! alive "$1"; }

wait_for() { # seconds, what, command ...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "slurm_local.sh: still waiting for $what after $1 s:" >&2
      (scontrol show node "$host" --oneliner && squeue && tail -n 5 "$dir"/*.log) >&2 || true
      exit 1
    fi
    sleep 0.2
  done
}

# Whether the node takes jobs. What else its state says is of its jobs: one whose end the killed daemon did not report
# stays "completing" until Slurm asks again, which is no reason to wait (see MinJobAge).
serves() {
  local state
  state=$(scontrol show node "$host" --oneliner | sed -nE 's/.* State=([A-Z+*_]+).*/\1/p')
  [[ $state =~ ^(IDLE|MIXED|ALLOCATED) && ! $state =~ DOWN|DRAIN|FAIL|NOT_RESPONDING|UNKNOWN|\* ]]
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # whether somebody does, at a port

configure() {
  local cpus=${SLURM_CPUS:-$(nproc)} base
  until
    base=$((20000 + RANDOM % 10000))
    ! listens "$base" && ! listens $((base + 1))
  do :; done
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
# A job that was to end when the node's daemon was killed is told again KillWait + 2 x MessageTimeout later, at the next of
# the rounds that MinJobAge sets: half a minute instead of a minute and a half, in which the node takes nothing.
MinJobAge=5
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
C
}

node() {
  if alive "$dir/slurmd.pid"; then
    echo "slurm_local.sh: the node's daemon runs already" >&2
    exit 1
  fi
  slurmd -f "$SLURM_CONF"
  wait_for "$patience" "the node's daemon" alive "$dir/slurmd.pid"
  wait_for "$patience" "the node" serves
}

kill_node() {
  kill -KILL "$(cat "$dir/slurmd.pid")"
  # Its port is free when it is gone.
  wait_for "$patience" "the end of the node's daemon" gone "$dir/slurmd.pid"
  rm "$dir/slurmd.pid"
}

case $action in
  start)
    mkdir -p "$dir"/{state,spool}
    chmod 755 "$dir"
    # A key of its own: what the machine has is left alone.
    (umask 077 && dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 status=none)
    munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
      --log-file="$dir/munged.log" --seed-file="$dir/munged.seed" >/dev/null 2>&1
    wait_for "$patience" munged test -S "$dir/munge.socket"
    configure
    slurmctld -f "$SLURM_CONF" >/dev/null 2>&1
    wait_for "$patience" slurmctld scontrol ping
    node
    echo "$SLURM_CONF"
    ;;
  kill) kill_node ;;
  node) node ;;
  stop)
    # What still runs would outlive the daemons.
    if alive "$dir/slurmctld.pid" && alive "$dir/slurmd.pid"; then
      timeout 10 scancel --user "$(id -un)" || true
      end=$((SECONDS + 15))
      while [ -n "$(timeout 10 squeue --noheader)" ] && [ "$SECONDS" -lt "$end" ]; do sleep 0.3; done
    fi
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
    echo "slurm_local.sh: start, kill, node or stop" >&2
    exit 2
    ;;
esac
