"""A server that ends what never ends by itself before it waits for what is under way."""

import socket
from collections.abc import Awaitable, Callable

import uvicorn

type LetGo = Callable[[], Awaitable[None]]


class DrainingServer(uvicorn.Server):
    """uvicorn, which waits for all answers when it is told to stop, with streams sent away first.

    An app says what to send away as `app.state.let_go`. Without it, each page that listens for changes would
    hold the server up until its time to drain is over.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Send streams away, then stop as uvicorn does."""
        let_go: LetGo | None = getattr(getattr(self.config.app, "state", None), "let_go", None)
        if let_go is not None:
            await let_go()
        await super().shutdown(sockets)
