"""Our errors, named for who must act. Each message gives source, day, place and what to do."""


class DirectiveEtlError(Exception):
    """Base of every error this project raises on purpose."""


class SourceUnavailableError(DirectiveEtlError):
    """Source owner: no answer, a server error, or an absent file. The only error a retry can heal."""


class SourceChangedError(DirectiveEtlError):
    """Source owner: what was sent no longer has the agreed form."""


class UnfinishedFileError(DirectiveEtlError):
    """Source owner: a file stays unfinished past the limit. All other files are counted."""


class RefusedBatchError(DirectiveEtlError):
    """Data steward: a critical check failed, so the batch was kept out of the warehouse."""


class RegistryError(DirectiveEtlError):
    """Developer or data steward: a declared file is wrong; the message lists every mistake in it."""


class ConfigurationError(DirectiveEtlError):
    """Engineer: a setting or a connection is missing or wrong."""
