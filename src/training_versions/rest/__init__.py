"""REST endpoints on FastAPI: the SDK over HTTP, for programs in any language.

    router = create_router()     # include it in your application, under any prefix
    app = create_app()           # an application of its own

The endpoints hold no rules. Every request acts as the user whose access token it carries. The
database enforces the rules, and the SDK reports the outcome. Needs the extra `api`.
"""

try:
    from training_versions.rest.app import add_problem_handlers, create_app, create_router
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError(
        f"training_versions.rest needs {exc.name}: pip install 'training-versions[api]'",
        name=exc.name,
    ) from exc

__all__ = ["add_problem_handlers", "create_app", "create_router"]
