"""The pages, a file a topic; each has `routes`."""
