"""The version history page, served beside the REST endpoints: the extra `web`."""
