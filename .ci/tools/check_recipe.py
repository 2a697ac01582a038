"""Render the conda recipe as rattler-build does, without a network; run by ``nox -s wheels``.

Needs py-rattler-build.
"""

from __future__ import annotations

from projects import ROOT
from rattler_build import Stage0Recipe, VariantConfig


def main() -> None:
    """Print what would be built; a mistake in the recipe raises."""
    recipe = Stage0Recipe.from_file(ROOT / ".ci/conda/recipe.yaml")
    for variant in recipe.render(VariantConfig.from_file(ROOT / ".ci/conda/variants.yaml")):
        print("conda:", variant)


if __name__ == "__main__":
    main()
