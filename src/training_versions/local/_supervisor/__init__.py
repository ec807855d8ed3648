"""The process that runs PostgreSQL, PostgREST, the auth server and Caddy for one `LocalSupabase`.

`main.py` is where it starts, `supervisor.py` says in which order the programs start and stop, and
each program has a file. Nothing here imports from outside this folder, except from the standard
library: the process starts without `site-packages`, so that it is up at once and no package that
the user has installed can disturb it. Only the auth server, a process of its own, uses packages.
"""
