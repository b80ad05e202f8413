"""A page that needs nothing else and runs nothing: no outside asset, no script, whatever stands in it."""

from html import escape
from typing import Final

from durable_loop.cli import screen

__all__ = ["escaped", "page"]

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def page(title: str, *, style: str, body: str) -> str:
    """Return a page; `body` is HTML, in which all that others wrote is `escaped`."""
    return _PAGE.format(title=escaped(title), style=style, body=body)


def escaped(text: str) -> str:
    """Return a text that others wrote as HTML that is nothing but this text."""
    return escape(screen.printable(text), quote=True)
