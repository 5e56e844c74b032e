"""The keys folder: which pair signs, which one will, and which have signed.

    jwt-private.pem, jwt-public.pem       the pair that signs
    jwt-prepared-private.pem              what becomes its successor as soon as that is on record
    jwt-next-private.pem, jwt-next.pem    its successor: published at once, signing `GRACE` after that
    jwt-<key id>.pem                      a predecessor: verifies until the last token it signed has expired
    jwt-replacing-private.pem             what takes the place of all of them at once, as soon as that is on record

A verifier may keep the list of public keys for five minutes. By the time a key signs, all of them know it.

Moments are the times of the files. A copy that loses them makes a successor wait longer and a predecessor stay longer,
and neither does harm. Each step leaves the folder good: who reads it in between, or after a crash, misses no key. Those
who move files take turns, by a lock on the folder that is gone with whoever held it.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from joserfc.jwk import RSAKey

from sample_agent.accounts.signing.pem import new_private_pem, public_half, public_keys, rsa_key
from sample_agent.core.secret_files import read_or_create_secret, write_secret

GRACE = timedelta(minutes=10)
"""How long a key is published before it signs: twice what verifiers may keep the list for."""

_PRIVATE, _PUBLIC = "jwt-private.pem", "jwt-public.pem"
_NEXT_PRIVATE, _NEXT_PUBLIC = "jwt-next-private.pem", "jwt-next.pem"
_PREPARED_PRIVATE = "jwt-prepared-private.pem"
_REPLACING_PRIVATE = "jwt-replacing-private.pem"
_FOR_ENVIRONMENT = "new-jwt-private.pem", "new-jwt-public.pem"
_PREDECESSOR = re.compile(r"jwt-([A-Za-z0-9_-]{43})\.pem")


class RotationUnderWayError(RuntimeError):
    """There is a successor already, which does not sign yet."""

    def __init__(self, signs_from: datetime) -> None:
        super().__init__(f"A new key waits already: it signs from {signs_from:%Y-%m-%d %H:%M} UTC on.")


@dataclass(frozen=True)
class KeyFiles:
    """The keys in `folder`. A predecessor is kept for `kept_for` after it was replaced."""

    folder: Path
    kept_for: timedelta

    def exists(self) -> bool:
        """Whether there is a pair that signs."""
        return (self.folder / _PRIVATE).exists()

    def is_published(self) -> bool:
        """Whether there is a public key for services that only verify."""
        return (self.folder / _PUBLIC).exists()

    def state(self, now: datetime) -> Hashable:
        """Something that is another thing when there is reason to read the folder again."""
        files = tuple((each.name, each.stat.st_mtime_ns, each.stat.st_size, each.stat.st_ino) for each in self._pems())
        return files, self._is_due(now), bool(self._outdated(now))

    def create_if_missing(self) -> None:
        """Make the first pair, unless there is one. Safe when several processes start at once."""
        read_or_create_secret(self.folder / _PRIVATE, new_private_pem)

    def signing_key(self, now: datetime) -> RSAKey:
        """The private key that signs: the successor from its moment on, whether or not the files were moved yet."""
        if self._is_due(now):
            with suppress(FileNotFoundError):  # moved this instant
                return rsa_key((self.folder / _NEXT_PRIVATE).read_bytes())
        return rsa_key((self.folder / _PRIVATE).read_bytes())

    def public_keys(self) -> list[RSAKey]:
        """All public keys in the folder, that of the signing pair first."""
        keys = []
        for each in sorted(self._pems(), key=lambda each: (each.name != _PUBLIC, each.name)):
            if not each.name.endswith("-private.pem"):
                with suppress(FileNotFoundError):
                    keys += public_keys((self.folder / each.name).read_text())
        return keys

    def waiting(self) -> tuple[str, datetime] | None:
        """The id of the successor, and from when on it signs."""
        try:
            key = rsa_key((self.folder / _NEXT_PRIVATE).read_bytes())
            return key.thumbprint(), self._written(_NEXT_PRIVATE) + GRACE
        except FileNotFoundError:
            return None

    def predecessors(self) -> dict[str, datetime]:
        """The ids of the keys that have signed, and when each is removed."""
        kept = {}
        for each in self._pems():
            if match := _PREDECESSOR.fullmatch(each.name):
                kept[match[1]] = datetime.fromtimestamp(each.stat.st_mtime, UTC) + self.kept_for
        return kept

    def prepare_successor(self, now: datetime) -> RSAKey:
        """Make a key that is to sign next, and return its public half; the same one until it was published.

        Raises RotationUnderWayError.
        """
        self._refuse_second_successor()
        return self._prepare(_PREPARED_PRIVATE, now)

    def publish_successor(self, now: datetime) -> None:
        """Publish the key of `prepare_successor`: it signs `GRACE` from now. Raises RotationUnderWayError."""
        with self._turn():
            self._refuse_second_successor()
            prepared = self.folder / _PREPARED_PRIVATE
            private = rsa_key(prepared.read_bytes())
            os.utime(prepared, (now.timestamp(), now.timestamp()))
            prepared.replace(self.folder / _NEXT_PRIVATE)
            self._publish(_NEXT_PUBLIC, private, now)

    def prepare_replacement(self, now: datetime) -> RSAKey:
        """Make a key that is to replace all others, and return its public half; the same one until it has done so."""
        return self._prepare(_REPLACING_PRIVATE, now)

    def replace_at_once(self, now: datetime) -> None:
        """Have the key of `prepare_replacement` sign from now on, and forget every other.

        All access tokens end with it. Cut off midway, it leaves the old pair signing, or the new one.
        """
        with self._turn():
            others = [_PREPARED_PRIVATE, _NEXT_PRIVATE, _NEXT_PUBLIC]
            for name in [*others, *(f"jwt-{kid}.pem" for kid in self.predecessors())]:
                (self.folder / name).unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # somebody else was faster
                (self.folder / _REPLACING_PRIVATE).replace(self.folder / _PRIVATE)
            self._publish(_PUBLIC, rsa_key((self.folder / _PRIVATE).read_bytes()), now)

    def pair_for_environment(self) -> Path | None:
        """Where the private key of `make_pair_for_environment` is, which may be in use by now."""
        path = self.folder / _FOR_ENVIRONMENT[0]
        return path if path.exists() else None

    def make_pair_for_environment(self, now: datetime) -> Path:
        """Write a new pair beside the others, where no program reads it, and return the path of the private key.

        Raises FileExistsError when there is one.
        """
        private = rsa_key(new_private_pem())
        private_name, public_name = _FOR_ENVIRONMENT
        self._write(private_name, private.as_pem(private=True), 0o600, now, replace=False)
        self._publish(public_name, private, now)
        return self.folder / private_name

    def settle(self, now: datetime) -> None:
        """Move the files as the time demands. Harmless when others do the same, or when it is cut off midway."""
        with self._turn():
            self._settle(now)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Move files while nobody else does: who knows an older state of the folder would bring back what is gone."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # a network file system that locks no folders; there it is left to chance
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _settle(self, now: datetime) -> None:
        if self._is_due(now):
            self._promote(now)
        current = rsa_key((self.folder / _PRIVATE).read_bytes())
        self._publish(_PUBLIC, current, now)
        try:
            self._publish(_NEXT_PUBLIC, rsa_key((self.folder / _NEXT_PRIVATE).read_bytes()), now)
        except FileNotFoundError:
            if self._reads(_NEXT_PUBLIC) == current.as_pem(private=False):
                (self.folder / _NEXT_PUBLIC).unlink(missing_ok=True)
        for name in self._outdated(now):
            (self.folder / name).unlink(missing_ok=True)

    def _prepare(self, name: str, now: datetime) -> RSAKey:
        with suppress(FileExistsError):  # of one that was cut off, or is under way
            self._write(name, new_private_pem().encode(), 0o600, now, replace=False)
        return public_half(rsa_key((self.folder / name).read_bytes()))

    def _refuse_second_successor(self) -> None:
        with suppress(FileNotFoundError):
            raise RotationUnderWayError(self._written(_NEXT_PRIVATE) + GRACE)

    def _promote(self, now: datetime) -> None:
        before = public_half(rsa_key((self.folder / _PRIVATE).read_bytes()))
        self._write(f"jwt-{before.thumbprint()}.pem", before.as_pem(private=False), 0o644, now)
        with suppress(FileNotFoundError):  # somebody else was faster
            (self.folder / _NEXT_PRIVATE).replace(self.folder / _PRIVATE)

    def _publish(self, name: str, key: RSAKey, now: datetime) -> None:
        pem = key.as_pem(private=False)
        if self._reads(name) != pem:
            self._write(name, pem, 0o644, now)

    def _is_due(self, now: datetime) -> bool:
        try:
            return self._written(_NEXT_PRIVATE) + GRACE <= now
        except FileNotFoundError:
            return False

    def _outdated(self, now: datetime) -> list[str]:
        return [f"jwt-{kid}.pem" for kid, until in self.predecessors().items() if until <= now]

    def _written(self, name: str) -> datetime:
        return datetime.fromtimestamp((self.folder / name).stat().st_mtime, UTC)

    def _reads(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def _pems(self) -> Iterator[_File]:
        with suppress(FileNotFoundError):
            for path in sorted(self.folder.glob("jwt-*.pem")):
                with suppress(FileNotFoundError):
                    yield _File(path.name, path.stat())

    def _write(self, name: str, pem: bytes, mode: int, now: datetime, *, replace: bool = True) -> None:
        """Put a file in its place, as belonging to whom the keys there belong to.

        Raises FileExistsError when it must not `replace` one.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner_of = self.folder / _PRIVATE if self.exists() else self.folder
        write_secret(self.folder / name, pem, mode=mode, owner_of=owner_of, moment=now, replace=replace)


@dataclass(frozen=True)
class _File:
    name: str
    stat: os.stat_result
