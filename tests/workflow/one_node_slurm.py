"""A Slurm cluster of one node, this machine, to try `profiles/slurm` on: its real daemons, in a folder of their own.

    python -m tests.workflow.one_node_slurm start FOLDER
    sinfo
    python -m tests.workflow.one_node_slurm stop FOLDER

Needs what Debian has in slurmctld, slurmd, slurm-client and munge, and root; neither systemd nor control groups nor an
accounting database. Jobs look for the configuration in one place only, so it is linked there while the cluster runs,
and a machine that has one already is left alone.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = ("munged", "slurmctld", "slurmd", "sinfo", "squeue", "scontrol", "scancel", "sbatch")
DAEMONS = ("slurmd", "slurmctld", "munged")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
READY_S, ENDED_S = 60, 10
PLACE = Path("/etc/slurm/slurm.conf")
CONFIGURATION = """\
ClusterName=natslib
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=12000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def lacking() -> str:
    """Return why no cluster can be started here; "" where one can."""
    absent = [name for name in COMMANDS if not shutil.which(name, path=PATH)]
    if absent:
        return f"a Slurm cluster of one node needs {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "Slurm's daemons start jobs of other users, so they need root"
    of_ours = PLACE.is_symlink() and not (PLACE.resolve().parent / "slurmctld.pid").exists()
    return f"{PLACE} says that this machine belongs to a cluster" if PLACE.exists() and not of_ours else ""


def start(folder: Path) -> None:
    """Start the daemons and wait until the node is idle.

    Raises `RuntimeError` with the end of the daemons' logs where that takes over a minute.
    """
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    settings = {"host": socket.gethostname().partition(".")[0], "cpus": min(2, os.cpu_count() or 1)}
    ports = dict(zip(("controller", "node"), _free_ports(2), strict=True))
    (folder / "slurm.conf").write_text(CONFIGURATION.format(folder=folder, **settings, **ports))
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o400)
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.unlink(missing_ok=True)
    PLACE.symlink_to(folder / "slurm.conf")
    files = {name: folder / f"munge{suffix}" for name, suffix in _MUNGE_FILES.items()}
    _run("munged", "--force", *(f"--{name}={file}" for name, file in files.items()))
    _run("slurmctld")
    _run("slurmd")
    waited_until = time.monotonic() + READY_S
    while time.monotonic() < waited_until:
        said = subprocess.run(
            ["sinfo", "--noheader", "--format=%t"], capture_output=True, text=True, check=False
        )
        if said.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = [path.read_text()[-1000:] for path in sorted(folder.glob("*.log"))]
    stop(folder)
    raise RuntimeError("\n".join([f"the node is {said.stdout.strip() or said.stderr.strip()}", *logs]))


def stop(folder: Path) -> None:
    """Cancel what runs and end the daemons; what they left stays in the folder."""
    subprocess.run(["scancel", "--me"], capture_output=True, check=False)
    for name in DAEMONS:
        pid, waited_until = folder / f"{name}.pid", time.monotonic() + ENDED_S
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGTERM)
            while pid.exists() and time.monotonic() < waited_until:
                time.sleep(0.05)
    PLACE.unlink(missing_ok=True)


_MUNGE_FILES = {
    "key-file": ".key",
    "socket": ".socket",
    "seed-file": ".seed",
    "log-file": "d.log",
    "pid-file": "d.pid",
}


def _free_ports(count: int) -> list[int]:
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in opened]
    for each in opened:
        each.close()
    return ports


def _run(*command: str) -> None:
    done = subprocess.run(
        command, env=os.environ | {"PATH": PATH}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")


if __name__ == "__main__":
    verb, place = sys.argv[1], Path(sys.argv[2]).resolve()
    if verb == "start":
        if reason := lacking():
            sys.exit(reason)
        start(place)
    else:
        stop(place)
