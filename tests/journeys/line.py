"""The line between a browser and the server, which can be cut, or left to carry nothing."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Line:
    """Hands connections on to an address; `cut` refuses them, and `mute` takes them and says nothing."""

    def __init__(self, to: str) -> None:
        where = urlsplit(to)
        self._to = (where.hostname or "127.0.0.1", where.port or 80)
        self._door = socket.create_server(("127.0.0.1", 0), backlog=50)
        self._open: list[socket.socket] = []
        self.is_cut = self.is_mute = False
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self) -> None:
        self.is_cut, self.is_mute = True, False
        self._drop()

    def mute(self) -> None:
        self.is_cut, self.is_mute = False, True
        self._drop()

    def mend(self) -> None:
        self.is_cut = self.is_mute = False
        self._drop()

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _drop(self) -> None:
        dropped, self._open = self._open, []
        for one in dropped:
            _hang_up(one)

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            self._open.append(caller)
            if self.is_cut:
                _hang_up(caller)
            elif not self.is_mute:
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        called = socket.create_connection(self._to)
        self._open.append(called)
        threading.Thread(target=_pump, args=(called, caller), daemon=True).start()
        _pump(caller, called)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while said := one.recv(65536):
            other.sendall(said)
    _hang_up(one)
    _hang_up(other)


def _hang_up(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
