"""What MkDocs does beside its plugins."""

import re

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):<code>~?(?P<name>[^<]+)</code>")


def on_page_content(html: str, **_: object) -> str:
    """Docstrings name things with the roles of Sphinx, which Markdown does not know."""
    return _ROLE.sub(r"<code>\g<name></code>", html)
