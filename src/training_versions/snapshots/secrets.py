"""Secrets: text that must not be stored in clear, known by its form or by its key.

A version is kept for ever, and read by everybody who may read the package, so a token in a config
is a token given away. What is found is refused, never cut out: a secret that only looks like one is
for the caller to tell apart.

By its form: tokens and keys that their makers begin with a mark of their own, JSON Web Tokens,
private keys, and URLs with a password. By its key: `hub_token`, `api_key`, `client_secret`,
`password` and the like. Most keys that end in `token` or `key` name none: `eos_token`, `pad_token`,
`max_new_tokens`, `sort_key`. So these two words count only behind a word that makes them secret.
"""

import re
from functools import cache, lru_cache
from typing import Final

from pydantic_core import SchemaValidator, core_schema

# Each begins at the edge of a word. The lengths are below those of real ones, and above those of
# words: "hf_transformers" and "sk-learn" are no secrets.
_FORMS: Final = (
    r"(?:hf_(?:oauth_|jwt_)?|api_org_)[A-Za-z0-9]{16,}",  # Hugging Face
    r"sk-(?:proj|ant|or|svcacct|admin|lf)-[A-Za-z0-9_-]{8,}|sk-[A-Za-z0-9]{16,}",  # OpenAI and kin
    r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}",  # Stripe
    r"gh[opsur]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}",  # GitHub
    r"gl(?:pat|dt|rt|ptt|ft|soat|cbt)-[A-Za-z0-9_-]{16,}",  # GitLab
    r"(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)",  # AWS
    r"xox[abeoprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}",  # Slack
    r"AIza[A-Za-z0-9_-]{30,}|GOCSPX-[A-Za-z0-9_-]{16,}|ya29\.[A-Za-z0-9_-]{16,}",  # Google
    r"sb_secret_[A-Za-z0-9_-]{8,}|sbp_[A-Za-z0-9]{16,}",  # Supabase
    r"npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_-]{16,}",
    r"gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|nvapi-[A-Za-z0-9_-]{20,}|r8_[A-Za-z0-9]{20,}",
    r"tgp_v1_[A-Za-z0-9_-]{16,}|lsv2_(?:pt|sk)_[a-f0-9]{16,}|pplx-[A-Za-z0-9]{32,}",
    r"dapi[a-f0-9]{32}|wandb_v1_[A-Za-z0-9_]{16,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{8,}",  # a JSON Web Token
)
_PRIVATE_KEY: Final = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
_URL_WITH_A_PASSWORD: Final = r"://[^\s/?#:@]*:[^\s/?#@<>$*{}]+@[A-Za-z0-9\[]"
# The regular expressions of Rust, which Pydantic brings, look for all of these at once and read a
# megabyte in about a millisecond; those of Python take a hundred times as long.
_SECRET: Final = rf"(?-u:\b)(?:{'|'.join(_FORMS)})|{_PRIVATE_KEY}|{_URL_WITH_A_PASSWORD}"
_KEY: Final = (
    r"(?im)(?:token|key|secret|passw|passphrase|pwd|credential|authorization)[a-z]*[^a-z\n]*$"
)

# Secret wherever a key ends in them.
_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "passphrase", "pwd", "secret", "credential", "credentials"}
)
# Secret if a key ends in one of the first, right behind one of the others.
_OPEN_WORDS: Final = frozenset({"token", "key"})
_MAKES_A_TOKEN_SECRET: Final = frozenset(
    {
        *("access", "admin", "anthropic", "api", "auth", "authentication", "authorization", "aws"),
        *("azure", "bearer", "cohere", "comet", "csrf", "deploy", "gcp", "github", "gitlab"),
        *("google", "hf", "hub", "huggingface", "jwt", "login", "mistral", "mlflow", "neptune"),
        *("npm", "oauth", "openai", "personal", "private", "pypi", "refresh", "registry"),
        *("replicate", "sas", "secret", "security", "service", "session", "slack", "ssh"),
        *("supabase", "tracking", "vault", "wandb", "webhook"),
    }
)
# `user_token` may be a word of a chat template, as `token` alone may be one of any text. So what
# stands there has to look like a secret, too.
_MAY_MAKE_A_TOKEN_SECRET: Final = frozenset(
    {"", "account", "app", "bot", "client", "face", "id", "identity", "user"}
)
_MAKES_A_KEY_SECRET: Final = frozenset(
    {
        *("access", "account", "anthropic", "api", "auth", "cohere", "comet", "encryption", "jwt"),
        *("master", "mistral", "openai", "private", "secret", "service", "shared"),
        *("signing", "ssh", "storage", "subscription", "supabase", "wandb"),
    }
)
# Compiled by `re` when they are first used, not at import.
# `apiKey` is two words, and so is `APIKey`.
_WORDS: Final = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
_JOINED: Final = {"apikey": ["api", "key"], "authtoken": ["auth", "token"]}
# What stands where a secret would: a reference to where it is kept, or a gap to be filled in.
_REFERENCE: Final = (
    r"(?ia)\s*|true|false|none|null|auto|(?:\w+ )?(?:\$\{.*\}|\$\w+|\$?\{\{.*\}\}|<[^<>]*>)"
    r"|env:\w+|os\.environ/\w+|vault:.*|op://.*|arn:aws:.*"
)
_ASTERISKS: Final = r"\*{3,}"
# In an object under the key of a secret, these say where the secret is.
_REFERRING_WORDS: Final = frozenset({"env", "file", "name", "path", "ref", "variable"})
_OPAQUE: Final = r"(?a)(?=.*[0-9])(?=.*[A-Za-z])[\w.~+/=-]{16,}"


def has_secret_form(text: str) -> bool:
    """Return whether text contains a secret, by its form; also of many texts, one a line."""
    return _finder(_SECRET).isinstance_python(text)


def may_have_secret_key(keys: str) -> bool:
    """Return whether one of many keys, one a line, is worth asking `is_secret_key`."""
    return _finder(_KEY).isinstance_python(keys)


@cache
def _finder(pattern: str) -> SchemaValidator:
    # Made when it is needed: to compile a pattern takes a noticeable part of the import.
    return SchemaValidator(core_schema.str_schema(pattern=pattern))


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Return whether a key names a secret, as `hub_token`, `apiKey` and `api_key_2` do.

    `token` alone counts, too; see `is_secret`.
    """
    before, last = _last_words(key)
    if last in _SECRET_WORDS or last == "authorization":
        return True
    if last == "token":
        return before in _MAKES_A_TOKEN_SECRET or before in _MAY_MAKE_A_TOKEN_SECRET
    return last == "key" and before in _MAKES_A_KEY_SECRET


def _last_words(key: str) -> tuple[str, str]:
    """Return the last two words of a key, in lower case and in the singular."""
    words: list[str] = []
    for word in re.findall(_WORDS, key):
        lower = word.lower()
        words += _JOINED.get(lower, [lower])
    while words and words[-1].isdecimal():
        words.pop()
    if words[-2:] == ["role", "key"]:
        # A role's key may be any; that of Supabase's `service_role` is a secret.
        del words[-2]
    before, last = ["", "", *words][-2:]
    # Several of them, as in `api_keys`; but `tokens` are pieces of text.
    if last != "tokens" and last not in _SECRET_WORDS:
        last = last.removesuffix("s")
    return before, last


def refers_to_secret(key: str) -> bool:
    """Return whether a key in an object under the key of a secret says where the secret is."""
    return _last_words(key)[1] in _REFERRING_WORDS


def is_placeholder(key: str, text: str) -> bool:
    """Return whether text under a secret key is what an object writes in place of the secret.

    Pydantic writes asterisks, and Transformers `<HUB_TOKEN>` under `hub_token`.
    """
    return text == f"<{key.upper()}>" or re.fullmatch(_ASTERISKS, text) is not None


def is_secret(key: str, text: str) -> bool:
    """Return whether text under a secret key is a secret, and no reference to one."""
    if re.fullmatch(_REFERENCE, text):
        return False
    # The name of an environment variable, such as HF_TOKEN.
    if text.isupper() and text.isidentifier() and is_secret_key(text):
        return False
    before, last = _last_words(key)
    may_be_any_text = last == "token" and before in _MAY_MAKE_A_TOKEN_SECRET
    return not may_be_any_text or re.fullmatch(_OPAQUE, text) is not None
