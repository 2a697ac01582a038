"""The contract of loaders. Subclass :class:`LoaderContract` with the fixtures ``spec`` and ``good``."""

from __future__ import annotations

import dataclasses
import inspect
import json
from contextlib import suppress
from pathlib import Path

import pytest

from splashdown._plugins.keywords import keywords_of
from splashdown.clipping import Area
from splashdown.errors import LoadError
from splashdown.specs import LoaderSpec
from splashdown.testing.fakes import MemoryHandle, make_asset
from splashdown.testing.stores import data_of


class LoaderContract:
    """The behaviour of every loader.

    A subclass has the fixtures ``spec``, its :class:`~splashdown.specs.LoaderSpec`, and ``good``, the bytes of a
    file that it loads; it may override :meth:`check` to test the loaded object.
    """

    #: Whether any bytes are a good file of this format, as for plain bytes.
    takes_anything = False
    #: An area that the good file touches, for a loader that clips; ``None`` where that file does not say where it lies.
    area: Area | None = Area(bbox=(-180.0, -90.0, 180.0, 90.0))

    def check(self, loaded: object) -> None:
        """Assert properties of the object made of ``good``."""
        assert loaded is not None

    def handle(self, spec: LoaderSpec, data: bytes) -> MemoryHandle:
        """An opened asset as this loader expects it."""
        name = "data" + (spec.extensions[0] if spec.extensions else ".bin")
        return MemoryHandle(data, make_asset(name, media_type=spec.media_types[0] if spec.media_types else None))

    def load_clip(self, spec: LoaderSpec, clip: MemoryHandle) -> object:
        """Load what ``clip`` has made; for another loader where the clip is of another format."""
        return spec.load(clip)

    def test_its_spec_can_be_compared(self, spec: LoaderSpec) -> None:
        for media_type in spec.media_types:
            assert media_type == media_type.lower().partition(";")[0].strip()
        assert all(extension.startswith(".") for extension in spec.extensions)
        assert all(len(prefix) > 0 for prefix in spec.magic)

    def test_a_good_file_becomes_an_object(self, spec: LoaderSpec, good: bytes) -> None:
        self.check(spec.load(self.handle(spec, good)))

    def test_its_magic_is_that_of_a_good_file(self, spec: LoaderSpec, good: bytes) -> None:
        assert not spec.magic or good.startswith(tuple(spec.magic))

    def test_loading_twice_gives_the_same(self, spec: LoaderSpec, good: bytes) -> None:
        handle = self.handle(spec, good)
        self.check(spec.load(handle))
        self.check(spec.load(handle))

    def test_its_summary_can_be_printed(self, spec: LoaderSpec, good: bytes) -> None:
        if spec.summarise is None:
            pytest.skip("this loader has no summarise()")
        facts = spec.summarise(self.handle(spec, good))
        assert all(isinstance(name, str) for name in facts)
        json.dumps(dict(facts), default=str)

    def test_its_options_are_arguments_of_load(self, spec: LoaderSpec) -> None:
        if spec.options is None:
            pytest.skip("this loader has no options for the command line")
        names = {f.name for f in dataclasses.fields(spec.options)}
        assert names <= set(keywords_of(spec.load) or ())
        if spec.summarise is not None:
            inspect.signature(spec.summarise).bind(None, **dict.fromkeys(names))

    def test_a_cap_on_what_is_read_is_kept(self, spec: LoaderSpec, good: bytes) -> None:
        if "max_bytes" not in (keywords_of(spec.load) or ()):
            pytest.skip("this loader has no max_bytes")
        with pytest.raises(LoadError):
            spec.load(self.handle(spec, good), max_bytes=1)

    def test_its_clip_is_a_file_of_the_same_kind(self, spec: LoaderSpec, good: bytes, tmp_path: Path) -> None:
        if spec.clip is None or self.area is None:
            pytest.skip("this loader has no clip()")
        first, second = (spec.clip(self.handle(spec, good), self.area) for _ in range(2))
        assert first is not None, "area touches the good file"
        assert second is not None
        assert first.recipe == second.recipe, "equal clips have equal recipes"
        assert first.extension.startswith(".")
        path = tmp_path / f"clip{first.extension}"
        first.write(path)
        assert [one.name for one in tmp_path.iterdir()] == [path.name], "it leaves no other file behind"
        media_type = first.media_type.partition(";")[0]
        self.load_clip(spec, MemoryHandle(path.read_bytes(), make_asset(path.name, media_type=media_type)))

    @pytest.mark.parametrize("how", ["empty", "cut", "noise", "page"])
    def test_what_is_no_such_file_is_a_load_error(self, spec: LoaderSpec, good: bytes, how: str) -> None:
        if self.takes_anything:
            pytest.skip("this loader takes any bytes")
        bad = {
            "empty": b"",
            "cut": good[: len(good) // 2],
            "noise": data_of(2000),
            "page": b"<!DOCTYPE html><title>503 Service Unavailable</title>",
        }[how]
        with pytest.raises(LoadError) as error:
            spec.load(self.handle(spec, bad))
        assert "data" in str(error.value), "the error names the asset"
        assert "\n" not in str(error.value)
        if spec.summarise is not None:
            with suppress(LoadError):  # it may read less than load does, and so notice less
                spec.summarise(self.handle(spec, bad))
        if spec.clip is not None and self.area is not None:
            with suppress(LoadError):  # the same holds for the look before a clip is written
                spec.clip(self.handle(spec, bad), self.area)
