"""Stands before runc, and takes out of what is asked for the capabilities this machine lacks.

``docker run --privileged`` asks for every capability there is, and runc refuses a container when
one of them is missing from the bounding set, as in many virtual machines and sandboxes. The
engine is given a copy of this file as its runtime; so it imports nothing but the standard library.
"""

import json
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
LAST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

# linux/capability.h, by number.
CAPABILITIES = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG
MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
NAMES = CAPABILITIES.split()


def missing_capabilities(status: str, last: int) -> frozenset[str]:
    """Name what ``/proc/self/status`` has not in its bounding set, of those up to ``last``."""
    (line,) = [line for line in status.splitlines() if line.startswith("CapBnd:")]
    bounding = int(line.split()[1], base=16)
    return frozenset(
        f"CAP_{name}"
        for number, name in enumerate(NAMES)
        if number <= last and not bounding >> number & 1
    )


def missing_here() -> frozenset[str]:
    """Name the capabilities that the kernel knows and this process can never have."""
    return missing_capabilities(STATUS.read_text(), int(LAST_CAPABILITY.read_text()))


def argument_after(arguments: Sequence[str], *names: str) -> str | None:
    """Give the value of an option, written ``--name value`` or ``--name=value``."""
    for number, argument in enumerate(arguments):
        if argument in names:
            return arguments[number + 1] if number + 1 < len(arguments) else None
        for name in names:
            if argument.startswith(f"{name}="):
                return argument.partition("=")[2]
    return None


def file_to_change(arguments: Sequence[str]) -> Path | None:
    """Give the file in which this call of runc asks for capabilities, if it asks for any."""
    if "create" in arguments or "run" in arguments:
        return Path(argument_after(arguments, "--bundle", "-b") or ".") / "config.json"
    if "exec" in arguments and (process := argument_after(arguments, "--process", "-p")):
        return Path(process)
    return None


def without(asked: dict[str, Any], missing: Collection[str]) -> dict[str, Any]:
    """Take capabilities out of a container's configuration, or out of a process alone."""
    process = asked.get("process", {}) if "ociVersion" in asked else asked
    capabilities = process.get("capabilities") or {}
    for kind, names in capabilities.items():
        capabilities[kind] = [name for name in names or [] if name not in missing]
    return asked


def main(arguments: Sequence[str]) -> None:
    """Change what is asked for, then become runc."""
    file = file_to_change(arguments)
    if file is not None:
        changed = without(json.loads(file.read_bytes()), missing_here())
        file.write_text(json.dumps(changed))
    path = [os.environ.get("PATH", ""), *SYSTEM_FOLDERS]
    os.environ["PATH"] = os.pathsep.join(filter(None, path))
    os.execvp("runc", ["runc", *arguments])  # noqa: S606 - becoming runc is what this is for


if __name__ == "__main__":
    main(sys.argv[1:])
