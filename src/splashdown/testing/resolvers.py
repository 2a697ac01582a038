"""The contract of resolvers. Subclass :class:`ResolverContract` with fixtures ``resolver``, ``source``, ``missing``."""

from __future__ import annotations

import copy
import json
import pickle
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from splashdown.checksums import Multihash
from splashdown.errors import ResolveError, UsageError
from splashdown.model import ResultSet
from splashdown.protocols import Resolver
from splashdown.testing.fakes import FakeContext


class ResolverContract:
    """The behaviour of every resolver.

    A subclass has the fixtures ``resolver``, ``source`` (it resolves to at least one asset) and ``missing`` (of the
    right form, but it leads nowhere). It may override ``auth`` with the credentials of ``source``, and ``sources``
    with the results of other sources that this resolver requests from its context.
    """

    @pytest.fixture
    def auth(self) -> object:
        """The credentials, as in ``auth=``."""
        return None

    @pytest.fixture
    def sources(self) -> Mapping[str, ResultSet]:
        """Results of ``context.resolve(source)``, by ``str(source)``."""
        return {}

    @pytest.fixture
    def context(self, auth: object, sources: Mapping[str, ResultSet]) -> FakeContext:
        """The second argument of the resolver."""
        return FakeContext(auth=auth, sources=sources)

    def test_it_has_the_methods_of_a_resolver(self, resolver: Resolver) -> None:
        assert isinstance(resolver, Resolver)

    def test_it_accepts_its_source_without_touching_the_network(
        self, resolver: Resolver, source: object, missing: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("accepts() has to judge by form")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        assert resolver.accepts(source) is True
        assert resolver.accepts(missing) is True

    def test_it_refuses_sources_of_other_resolvers(self, resolver: Resolver) -> None:
        assert resolver.accepts(object()) is False
        assert resolver.accepts("no-such-scheme://host/path") is False

    @pytest.mark.parametrize("odd", [None, 0, 1.5, "", b"", b"\xff", [], {}, (), "\0", "http://[", "a" * 100_000])
    def test_it_judges_odd_sources_without_an_error(self, resolver: Resolver, odd: object) -> None:
        assert resolver.accepts(odd) in {True, False}

    def test_assets_have_unique_names_and_absolute_hrefs(
        self, resolver: Resolver, source: object, context: FakeContext
    ) -> None:
        found = resolver.resolve(source, context)
        assert isinstance(found, ResultSet)
        assert found.assets
        identities = [asset.identity for asset in found.assets]
        assert len(set(identities)) == len(identities)
        for asset in found.assets:
            assert re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|/|[A-Za-z]:\\", asset.href), "hrefs are absolute"
        json.dumps(found.document)

    def test_results_are_described_as_the_model_says(
        self, resolver: Resolver, source: object, context: FakeContext
    ) -> None:
        found = resolver.resolve(source, context)
        assert isinstance(found.id, str)
        assert isinstance(found.kind, str)
        assert isinstance(found.assets, Sequence), "assets are counted and read again"
        for asset in found.assets:
            assert asset.key
            assert isinstance(asset.roles, tuple)
            assert all(name is None or isinstance(name, str) for name in (asset.key, asset.item, asset.media_type))
            assert asset.size is None or asset.size >= 0
            if asset.checksum is not None:
                Multihash.parse(asset.checksum)
            assert all(moment is None or moment.tzinfo is not None for moment in (asset.start, asset.end))
            assert pickle.loads(pickle.dumps(asset)) == asset, "assets go to other processes"  # noqa: S301 - our own

    def test_resolving_twice_finds_the_same_and_changes_nothing(
        self, resolver: Resolver, source: object, context: FakeContext
    ) -> None:
        first = resolver.resolve(source, context)
        before = copy.deepcopy(dict(first.document))
        second = resolver.resolve(source, context)
        assert [a.identity for a in first.assets] == [a.identity for a in second.assets]
        assert dict(first.document) == before
        if first.refresh is not None:
            assert [a.identity for a in first.refresh().assets] == [a.identity for a in first.assets]

    def test_a_source_that_leads_nowhere_is_a_resolve_error(
        self, resolver: Resolver, missing: object, context: FakeContext
    ) -> None:
        with pytest.raises(ResolveError) as error:
            resolver.resolve(missing, context)
        assert str(error.value)
        assert "\n" not in str(error.value)

    def test_an_unknown_option_is_refused(self, resolver: Resolver, source: object, context: FakeContext) -> None:
        with pytest.raises(UsageError, match="no_such_option"):
            resolver.resolve(source, replace(context, options={"no_such_option": 1}))
