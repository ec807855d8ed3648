"""REST endpoints over HTTP, on FastAPI: the SDK for whoever is not writing Python.

    router = create_router()     # to include in one's own application, under any prefix
    app = create_app()           # an application of its own

Nothing is decided here. Every request acts as the user whose access token it brings; the database
keeps the rules, and the SDK says what came of it. Needs the extra `api`.
"""

try:
    from training_versions.rest.app import add_problem_handlers, create_app, create_router
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError(
        f"training_versions.rest needs {exc.name}: pip install 'training-versions[api]'",
        name=exc.name,
    ) from exc

__all__ = ["add_problem_handlers", "create_app", "create_router"]
