"""Forms of our own pages: told from another site's, and read with a bound on their size."""

from urllib.parse import parse_qs, urlsplit

from fastapi import Request

from operations.problems import Problem


def demand_own_page(request: Request) -> None:
    """Let pass a form that stands on a page of this server.

    The cookie that signs a browser in is `SameSite=Strict`, so another site's page cannot send it; this is
    the second lock on the same door.

    Raises:
        Problem: 403, if another site's page sent it.

    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, "Not from here", "The form was sent from a page of another site.")


async def form_of(request: Request, longest: int) -> dict[str, list[str]]:
    """Return the fields of a form, each with its values.

    Raises:
        Problem: 413, if it is longer than so many bytes; 422, if it is no form in UTF-8.

    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > longest:
            raise Problem(413, "Too large", f"A form of this page has at most {longest} bytes.")
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise Problem(422, "Unusable input", "The form cannot be read.") from error
