"""What each operation sends and how its reply is read; no client is imported here and nothing is awaited."""
