"""Time how fast a stop button acts in a real kernel, with a waiting cell and in the background.

    python benchmarks/stopping.py [--rounds 5]

A kernel trains an endless run with its dashboard. The command of the button is sent as the front
end sends it: to a subshell if the kernel has subshells, else on the shell channel. The figure is
the time from sending the command until the kernel says that the run has ended, minus the mean step.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import time
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from report import Row, table

PREPARE = (
    "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq\n%train_rnn --epochs 1 --max-tokens 9000"
)
TRAIN = "run = %train_rnn --epochs 100000 --threads 1"
OVER = (
    "import threading, time\n"
    "while any(thread.name.startswith('rnn ') for thread in threading.enumerate()):\n"
    "    time.sleep(0.05)"
)
PATIENCE = 60
ALLOWED = 0.25  # seconds, in addition to a step


def until(client: BlockingKernelClient, wanted: Any) -> Any:
    """Return the first answer on the iopub channel that `wanted` accepts."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if wanted(message):
            return message
    msg = "the kernel did not say what was waited for"
    raise TimeoutError(msg)


def trains(message: Any) -> bool:
    """Whether a message is the update of a dashboard that has taken a hundred steps."""
    now = _run(message).get("now")
    return bool(now) and now["total_steps"] > 100


def ended(message: Any) -> bool:
    """Whether a message says that a run has ended."""
    return _run(message).get("phase") == "ended"


def _run(message: Any) -> dict[str, Any]:
    data = message["content"].get("data")
    state = data.get("state", {}) if isinstance(data, dict) else {}
    return state.get("run", {}) if isinstance(state, dict) else {}


def subshell(client: BlockingKernelClient) -> str | None:
    """Return a new subshell of the kernel, or None if it has no subshells."""
    features = client.kernel_info(reply=True, timeout=PATIENCE)["content"].get(
        "supported_features", []
    )
    if "kernel subshells" not in features:
        return None
    message = client.session.msg("create_subshell_request")
    client.control_channel.send(message)
    while True:
        reply = client.get_control_msg(timeout=PATIENCE)
        if reply["msg_type"] == "create_subshell_reply":
            return str(reply["content"]["subshell_id"])


def stop_once(client: BlockingKernelClient, by: str | None, *, background: bool) -> float:
    """Return the seconds from the command to the end of the run."""
    client.execute_interactive(OVER, timeout=PATIENCE)
    client.execute(f"{TRAIN} --background" if background else TRAIN)
    comm = until(client, trains)["content"]["comm_id"]
    content = {"comm_id": comm, "data": {"method": "custom", "content": {"type": "stop"}}}
    message = client.session.msg("comm_msg", content)
    if by is not None:
        message["header"]["subshell_id"] = by
    begun = time.perf_counter()
    client.shell_channel.send(message)
    until(client, ended)
    return time.perf_counter() - begun


def measure(rounds: int) -> list[Row]:
    """Return a row for a waiting cell, and one for a run in the background."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute_interactive(PREPARE, output_hook=lambda _: None, timeout=PATIENCE)
        by = subshell(client)
        version = importlib.metadata.version("ipykernel")
        how = "by a subshell" if by else "on the shell channel"
        rows = []
        for background in (False, True):
            taken = [stop_once(client, by, background=background) for _ in range(rounds)]
            where = "in the background" if background else "while its cell waits"
            rows.append(
                Row(
                    f"stop of a run {where}, ipykernel {version}, {how}",
                    f"{1000 * statistics.median(taken):.0f} ms",
                    "",
                    None,
                    "a step + 250 ms",
                    f"{1000 * min(taken):.0f} to {1000 * max(taken):.0f} ms, {rounds} rounds",
                )
            )
        return rows
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    print(table(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
