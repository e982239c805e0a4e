"""What the page takes from the world: the time, chance, and where it is reached."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Outside:
    """`clock` gives the present in microseconds UTC, `token` a text that nobody can guess.

    The command line makes both; the page itself reads no clock and draws nothing.
    """

    clock: Callable[[], int]
    token: Callable[[], str]


@dataclass(frozen=True)
class Place:
    """Where the page listens, and the address people reach it at.

    `public` is the address of the reverse proxy before it, empty without one.
    """

    host: str = "127.0.0.1"
    port: int = 8321
    public: str = ""

    @property
    def address(self) -> str:
        """Return the address for people, without a slash at its end."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return self.public.rstrip("/") or f"http://{shown}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """Return whether people reach it by https, so that cookies may insist on it."""
        return self.public.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Return whether only this machine reaches it."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    def accepts(self, host: str) -> bool:
        """Return whether a request may name this host; a stranger's name points at us else."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self.public:
            return name in {urlsplit(self.public).hostname, *LOCAL_HOSTS}
        return not self.is_local or name in LOCAL_HOSTS
