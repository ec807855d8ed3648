"""The version history page, served beside the REST endpoints: the extra `web`.

`create_app` makes an ASGI application with the pages at `/` and the endpoints at `/api/training`:

    uvicorn --factory training_versions.web:create_app

Pages are plain HTML that works without JavaScript; scripts only make it quicker. The server keeps
no session and no key that skips row level security: every page acts as the user whose token the
cookie holds.
"""

try:
    from training_versions.web.app import create_app
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError(
        f"training_versions.web needs {exc.name}: pip install 'training-versions[web]'",
        name=exc.name,
    ) from exc

__all__ = ["create_app"]
