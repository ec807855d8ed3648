"""Templates: all values are escaped, and an undefined name is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, cast
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from training_versions import __version__
from training_versions.web import csrf
from training_versions.web.static_files import static_url
from training_versions.web.views.targets import target_name
from training_versions.wording import describe_age, write_amount

# Embeddings, overrides and isolates. Directional marks, which names in Hebrew or Arabic may need,
# do not affect the text around them.
_TURNS_DIRECTION: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Render a template to a response.

    Besides the given values, a template has `caller` (`None` before signing in), `request`, `path`
    and `csrf_field`, the hidden field of every form.
    """
    caller = getattr(request.state, "caller", None)
    values.setdefault("caller", caller)
    values.setdefault("csrf_token", "" if caller is None else caller.csrf_token)
    text = (
        _environment()
        .get_template(template)
        .render(request=request, path=request.url.path, **values)
    )
    return HTMLResponse(text, status, headers)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("training_versions.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_as_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Jinja declares only the types of its own filters.
    filters = cast("dict[str, Any]", environment.filters)
    filters.update(
        ago=ago, exact=exact, exact_time=exact_time, money=money, status_badge=status_badge, who=who
    )
    names = cast("dict[str, Any]", environment.globals)
    names.update(
        csrf_field=csrf_field,
        static_url=static_url,
        target_name=target_name,
        product_version=__version__,
    )
    return environment


def _as_shown(value: object) -> object:
    """Escape characters that change the direction of the text around a value.

    Elements isolate the direction of a name. But if a name opens an isolate and does not close it,
    the end of the element closes that one, and the isolate of the element stays open.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return _TURNS_DIRECTION.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    return value


def exact(value: object) -> Markup:
    """Write a text without escaping directions, for fields, whose text is sent back."""
    return escape(value)


@pass_context
def csrf_field(context: Context) -> Markup:
    """Return the hidden field with the CSRF token."""
    field = '<input type="hidden" name="{}" value="{}">'
    return Markup(field).format(csrf.FIELD, context["csrf_token"])


def ago(moment: datetime | None) -> Markup:
    """Write the age of a moment, with the exact time as its tooltip."""
    if moment is None:
        return _NOTHING
    return _time(moment, describe_age(moment, datetime.now(UTC)))


def exact_time(moment: datetime | None) -> Markup:
    """Write a moment in UTC, to the second."""
    if moment is None:
        return _NOTHING
    return _time(moment, _write_moment(moment))


def _time(moment: datetime, text: str) -> Markup:
    exact = moment.astimezone(UTC).isoformat()
    markup = '<time datetime="{}" title="{}">{}</time>'
    return Markup(markup).format(exact, _write_moment(moment), text)


def _write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def money(amount: Decimal | None) -> Markup | str:
    """Write an amount, exact and with thousands separators."""
    if amount is None:
        return _NOTHING
    return write_amount(amount)


@pass_context
def who(context: Context, user_id: UUID | None) -> Markup | str:
    """Write a user: "you", or the beginning of the user's id."""
    if user_id is None:
        return Markup('<span title="A program with the service role">service</span>')
    caller = context["caller"]
    if caller is not None and caller.user.id == user_id:
        return Markup('<span class="who">you</span>')
    text = str(user_id)
    return Markup('<code class="who" title="{}">{}</code>').format(text, text[:8])


def status_badge(status: str) -> Markup:
    """Write the status of a version or of its training as a badge."""
    return Markup('<span class="badge badge-{0}">{0}</span>').format(str(status))


_NOTHING: Final = Markup('<span class="nothing" aria-hidden="true">&ndash;</span>')
