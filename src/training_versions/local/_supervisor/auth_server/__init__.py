"""The auth server of a stack, a process of its own: answers under `/auth/v1`.

It does what development needs of Supabase's Auth API: sign up, sign in with a password, refresh,
user, sign out, and the public keys. Every address counts as confirmed, and nothing is mailed.

Unlike the rest of `_supervisor`, it uses installed packages; the supervisor never imports it.
"""
