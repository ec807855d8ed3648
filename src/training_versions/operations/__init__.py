"""Operations: what each one sends, and how the replies are read.

An operation is a generator: it yields a request, gets the reply sent in, may yield more requests,
and returns its result. Nothing here sends, awaits, or sleeps: `_async/transport.py` and
its sync twin drive every operation, and are the only files that touch the network.
"""
