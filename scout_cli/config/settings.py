"""Everything that can be set, with its reference and its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from scout_cli.core import shape
from scout_cli.errors import ConfigError
from scout_cli.store.sqlite_file import url_of

_Count = Annotated[int, Meta(ge=1, le=10_000)]
_Days = Annotated[int, Meta(ge=0, le=36_500)]
_TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_SHARE = r"(?:0(?:\.[0-9]+)?|1(?:\.0+)?)"
_Cutoffs = Annotated[str, Meta(pattern=rf"^\S+={_SHARE}:{_SHARE}(?::{_SHARE})?$")]
_HostPort = Annotated[str, Meta(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):[0-9]{1,5}$")]


def platform_folder(kind: str) -> Path | None:
    """Return scout's `data` or `config` folder; None where the machine has no home to put it."""
    import platformdirs  # noqa: PLC0415 - only when nothing was configured

    folder = getattr(platformdirs, f"user_{kind}_path")("scout", appauthor=False)
    return folder if isinstance(folder, Path) and folder.is_absolute() else None


def _default_database() -> str:
    folder = platform_folder("data")
    if folder is None:
        raise ConfigError(
            "there is no home directory to keep the database in",
            hint="export SCOUT_DATABASE_URL=sqlite:////path/to/scout.db",
        )
    return url_of(folder / "scout.db")


class Settings(shape.Shape, frozen=True, kw_only=True):
    """Everything that can be set. The text under each field is its reference."""

    database_url: str = field(default_factory=_default_database)
    """Where scouts and findings are kept: `sqlite:///scout.db`, `sqlite:////absolute/path.db` or
    `postgresql://user:password@host/db`. The default is a file in the platform's data folder."""
    llm_url: str = "auto"
    """The language model: `ollama://127.0.0.1:11434/qwen3:8b`, `ollama+https://host/model`,
    `builtin://` (no model), or `auto`: Ollama when it answers, else the built-in engine."""
    embed_url: str = "auto"
    """The embedder, in the same form: `ollama://127.0.0.1:11434/nomic-embed-text`, `builtin://`,
    `use://` (small and multilingual, `pip install scout-watch[use]`) or `auto`."""
    cutoffs: tuple[_Cutoffs, ...] = ()
    """Where "the same" begins, by embedder, as `scout calibrate --write` fits it:
    `built-in/lexical-1=0.45:0.60` or, with the usual cosine of two different facts as the third
    number, `use/multilingual-3=0.70:0.90:0.30`. Others keep the cut-offs they come with."""
    search_url: Annotated[tuple[str, ...], Meta(min_length=1)] = ("ddgs://",)
    """Search engines, asked in this order: `ddgs://`, `searxng+http://127.0.0.1:8080`."""
    fetch_url: str = "crawl4ai://auto"
    """How pages are read: `crawl4ai://auto` starts a browser for pages that their scripts make,
    `crawl4ai://http` never does, `crawl4ai://browser` shows every page in one."""
    execute_url: str = "local://"
    """How due scouts come to workers: `local://`, `local://?concurrency=4` (workers look into the
    database), or `procrastinate://` (a queue on the same PostgreSQL for many machines,
    `pip install scout-watch[distributed]`, then `scout init-db`)."""
    browser_path: str = ""
    """The Chromium or Chrome to use; empty looks for one on this machine."""
    browsers: Annotated[int, Meta(ge=1, le=16)] = 1
    """Browsers at the same time, of 300 to 600 MB each; none runs before a page needs it."""
    screenshots: bool = False
    """Whether to keep a picture of each page that a browser shows, as long as its text is kept."""
    allow_private_networks: bool | tuple[_HostPort, ...] = False
    """Whether pages may be fetched from private addresses: `true`, or a list of `host:port`."""
    robots: bool = True
    """Whether to leave pages alone that their sites let no program read (robots.txt), and to keep
    the Crawl-delay that they ask for, up to ten seconds. Pages and feeds that you name yourself are
    read all the same: a person has asked for them."""
    num_ctx: Annotated[int, Meta(ge=512, le=10_000_000)] = 8_192
    """Context length asked of the model, in tokens, prompt and answer together."""
    deadline: Annotated[float, Meta(ge=1, le=86_400)] = 1_800.0
    """Seconds after which a run ends with what it has verified so far."""
    max_pages: _Count = 8
    """Pages read in one run."""
    max_searches: _Count = 8
    """Searches in one run."""
    max_calls: _Count = 12
    """Calls of the language model in one run."""
    max_tokens: Annotated[int, Meta(ge=1_000, le=100_000_000)] = 50_000
    """Prompt tokens in one run, all calls together."""
    rounds: Annotated[int, Meta(ge=0, le=20)] = 2
    """Follow-up rounds after the first, when the model asks for them."""
    concurrency: Annotated[int, Meta(ge=1, le=1_000)] = 2
    """Scouts that `tick` and `worker` run at the same time."""
    lease: Annotated[float, Meta(ge=1, le=3_600)] = 60.0
    """Seconds without a sign of life after which another process takes over a scheduled run."""
    late_notices: bool = True
    """Whether to tell, once, that a scout missed its time by more than its own interval."""
    notify: tuple[str, ...] = ()
    """Channels that hear of all scouts: `mailto://me@example.org`, `ntfy://ntfy.sh/my-topic`,
    `webhook+https://host/path?secret=...`, `tgram://BOT_TOKEN/CHAT_ID` and Apprise's; often secret.
    A scout may have channels of its own beside these."""
    smtp_url: str = ""
    """The mail server: `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`; secret
    when it holds a password."""
    mail_from: str = ""
    """The sender of e-mail: `scout@example.org` or `Scout <scout@example.org>`."""
    webhook_secret: str = ""
    """Signs for webhooks whose URL names no secret: `whsec_` and base64; secret."""
    digest: Literal["", "daily", "weekly"] = ""
    """Gather news into one message a day, or a week on Monday; empty tells at once. A scout's own
    digest and `digest=` in a channel's URL come first."""
    digest_at: Annotated[str, Meta(pattern=_TIME)] = "08:00"
    """When digests and signs of life go out: hours and minutes, in the time zone of the scout."""
    quiet_hours: Annotated[str, Meta(pattern=rf"^$|{_TIME[:-1]}-{_TIME[1:]}")] = ""
    """When no message goes out, such as `22:00-07:00`, in the time zone of the scout."""
    heartbeat: Literal["", "weekly"] = ""
    """Whether a channel without news hears once a week, on Monday, how often scout looked."""
    search_cache_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 15
    """Minutes for which the answer to a search is used again; 0 asks every time."""
    keep_pages: _Days = 30
    """Days for which the texts of pages are kept, for checking quotes; 0 keeps them for ever."""
    keep_steps: _Days = 30
    """Days for which the steps of runs are kept; 0 keeps them for ever."""
    keep_executions: _Days = 180
    """Days for which runs are kept, the newest of each scout always; 0 keeps them for ever. What
    they found stays until `scout forget`."""
    keep_outbox_sent: _Days = 30
    """Days for which messages that arrived are kept; 0 keeps them for ever."""
    keep_outbox_dead: _Days = 90
    """Days for which messages that were given up are kept; 0 keeps them for ever."""
    ballast: Annotated[int, Meta(ge=0, le=1_024)] = 16
    """MiB in reserve beside a SQLite database, given up when the disk is full; 0 for none."""
    contact: Annotated[str, Meta(max_length=200, pattern=r"^[\x20-\x7e]*$")] = ""
    """An e-mail address or page that scout names in its User-Agent, for the owners of sites."""
    jwt_secret: tuple[str, ...] = ()
    """What signs the tokens of `scout serve`, newest first, at least 32 bytes each; secret. Empty:
    made on first need and kept in `keys.toml` beside the database, for its owner alone."""
    secret_keys: tuple[str, ...] = ()
    """What encrypts the secrets in the database, such as channel URLs: Fernet keys, newest first;
    secret. Empty: as for `jwt_secret`. `scout keys rotate` changes them."""
    public_url: Annotated[str, Meta(pattern=r"^$|^https?://[^\s/]+(/[^\s]*[^\s/])?$")] = ""
    """Where others reach `scout serve`, such as `https://scout.example.org`: for links in mails
    and feeds. Empty: the address it listens on."""
    site_url: Annotated[str, Meta(pattern=r"^$|^https?://[^\s/]+(/[^\s]*[^\s/])?$")] = ""
    """Where the web interface is, for the way back from a confirmation mail."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages that may call the server, such as `https://news.example.org`; those of this machine
    always may."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names by which the server may be called, beside its own address and that of
    `public_url`."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    signup: Literal["open", "closed"] = "open"
    """Whether people may make accounts by themselves. The first account is made by whoever runs the
    server, wherever that is not this machine alone."""
    confirm_email: bool = False
    """Whether an account works only after its address was confirmed by mail."""
    metrics_token: str = ""
    """Lets others than this machine read `/metrics`; secret."""
    keep_audit: _Days = 365
    """Days for which the log of who did what is kept; 0 keeps it for ever."""
    ollama_host: str = ""
    """Ollama's address when `llm_url` is `auto`; the environment twin is `OLLAMA_HOST`."""
    ollama_api_key: str = ""
    """Key for `ollama+https://ollama.com/...`, sent to no other host; secret. The environment twin
    is `OLLAMA_API_KEY`."""

    def __repr__(self) -> str:
        """Name no value: one of them may be a password, and tracebacks are shared."""
        return f"<Settings of {len(self.__struct_fields__)} fields>"
