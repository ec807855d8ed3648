"""The async face: the signature and documentation of every operation, topic by topic.

What an operation sends, and how its reply is read, is decided in `operations/`; how it is sent, in
`transport.py`. The sync face in `_sync/` is derived from this folder.
"""
