"""REST endpoints over the SDK: the extra `api`."""
