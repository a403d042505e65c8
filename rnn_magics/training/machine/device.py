"""The choice of the device, with its reason."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rnn_magics.errors import DeviceError
from rnn_magics.language import marked, say


@dataclass(frozen=True)
class DeviceChoice:
    """A device, with the reason for the choice in words."""

    device: torch.device
    reason: str

    def __str__(self) -> str:
        """Return the device and the reason."""
        return say("{device} ({reason})", device=self.device, reason=say(self.reason))


def choose_device(name: str | None = None) -> DeviceChoice:
    """Return the device with this name; by default CUDA where there is one, else the CPU.

    An Apple GPU (MPS) is used when it is asked for, not by itself: nothing has been compared with
    the CPU on one, and torch has had errors in its recurrences there that raised nothing.
    ``benchmarks/gpu.py --all --device mps`` compares.

    Raises
    ------
    DeviceError
        If the device is unknown or not available.
    """
    if name is None:
        if torch.cuda.is_available():
            return DeviceChoice(torch.device("cuda"), torch.cuda.get_device_name())
        if torch.backends.mps.is_available():
            return DeviceChoice(torch.device("cpu"), marked("--device mps tries the Apple GPU"))
        return DeviceChoice(torch.device("cpu"), marked("no GPU found"))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(
            say("unknown device {name!r}; choose cpu, cuda, cuda:1 or mps", name=name)
        ) from None
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": _mps_count()}.get(device.type)
    if count is None:
        raise DeviceError(
            say("device {name!r} is not supported; choose cpu, cuda or mps", name=name)
        )
    if (device.index or 0) >= count:
        text = (
            marked(
                "--device {name}: no such device here ({count} found); leave it out, or use"
                " --device cpu"
            )
            if count
            else marked(
                "--device {name}: no such device here (none found); leave it out, or use"
                " --device cpu"
            )
        )
        raise DeviceError(say(text, name=name, count=count))
    return DeviceChoice(device, marked("as asked"))


def _mps_count() -> int:
    return int(torch.backends.mps.is_available())
