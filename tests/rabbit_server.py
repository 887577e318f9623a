"""A RabbitMQ server of a test's own, below one folder, on loopback."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from servers import START_S, Child, eventually

from producer.stack.servers import LOOPBACK, free_ports

#: Beside the program of the distributions' packages is one that changes to another user.
PLACES = (Path("/usr/lib/rabbitmq/bin"), Path("/usr/local/lib/rabbitmq/bin"))


def program(name: str) -> str | None:
    """Return one of RabbitMQ's programs, or None where it is not installed."""
    beside = next((str(place / name) for place in PLACES if (place / name).is_file()), None)
    return beside or shutil.which(name)


@dataclass
class Rabbit(Child):
    """A server that keeps its port and its queues over its deaths."""

    port: int = 0
    control: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    def start(self) -> None:
        n_before = self._n_starts()
        super().start()
        eventually(lambda: self.is_running and self._n_starts() > n_before, START_S)

    def tell(self, *arguments: str) -> str:
        """Run a command of `rabbitmqctl`."""
        return subprocess.run(
            [self.control, "--quiet", "--node", self.variables["RABBITMQ_NODENAME"], *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=START_S,
            env={**_path(), **self.variables},
        ).stdout

    def _n_starts(self) -> int:
        with suppress(FileNotFoundError):
            return self.log.read_text(errors="replace").count("Server startup complete")
        return 0


@contextmanager
def rabbit(folder: Path, settings: str = "", options: str = "") -> Iterator[Rabbit]:
    """Run a server as long as the test lasts.

    Args:
        folder: Keeps everything.
        settings: Lines of its `rabbitmq.conf`.
        options: Of the Erlang runtime, for what has no line there.
    """
    port, of_others, of_names = free_ports(3)
    folder.mkdir()
    (folder / "plugins").write_text("[].")
    (folder / "rabbitmq.conf").write_text(settings)
    variables = {
        "HOME": str(folder),  # of the cookie
        "RABBITMQ_NODENAME": f"voxmill{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(of_others),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(
            ["-kernel inet_dist_use_interface {127,0,0,1}", options]
        ),
        "ERL_EPMD_PORT": str(of_names),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
    }
    server, control, names = map(program, ("rabbitmq-server", "rabbitmqctl", "epmd"))
    assert server
    assert control
    assert names
    # The server would start it as a daemon, which outlives the test.
    register = Child([names, "-port", str(of_names)], folder / "names.log", variables)
    broker = Rabbit(
        [server], folder / "rabbit.log", variables, port=port, control=control, variables=variables
    )
    try:
        register.start()
        broker.start()
        yield broker
    finally:
        for each in (broker, register):
            if each.is_running:
                each.kill()


def _path() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
