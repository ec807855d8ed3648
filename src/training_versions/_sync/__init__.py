"""The sync face: the signature and documentation of every operation, topic by topic.

What an operation sends, and how its reply is read, is decided in `operations/`; how it is sent, in
`transport.py`.

Derived from `_async/__init__.py` by `scripts/derive_sync.py`: change that file instead.
"""
