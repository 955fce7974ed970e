"""Starts processes as `srun --ntasks-per-node N` would, on one machine, as one node."""

import os
import subprocess
import sys

count = int(sys.argv[1])
told = {
    "SLURM_JOB_ID": str(os.getpid()),  # of which the port is made
    "SLURM_JOB_NAME": "training",
    "SLURM_NTASKS": str(count),
    "SLURM_NTASKS_PER_NODE": str(count),
    "SLURM_NNODES": "1",
    "SLURM_NODEID": "0",
    "SLURM_NODELIST": "localhost",
}
processes = [
    subprocess.Popen(
        sys.argv[2:],
        env={
            **os.environ,
            **told,
            "SLURM_PROCID": str(rank),
            "SLURM_LOCALID": str(rank),
        },
    )
    for rank in range(count)
]
sys.exit(max(process.wait() for process in processes))
