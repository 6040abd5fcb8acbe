"""Fetch the pinned files of this directory again: `python app/static/vendor/update.py`.

Needs npm, and for the fonts `fonttools` and `brotli`. Every package is checked against its SHA-256 before
anything of it is used; the files it writes are committed, so nobody else needs to run this.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
WEIGHTS = "wght=400:700"
FEATURES = "kern,mark,mkmk,ccmp,locl,tnum"
LATIN = (
    "U+0020-007E,U+00A0,U+00A7,U+00A9,U+00AB,U+00B0,U+00B7,U+00BB,U+00BD,U+00BF-00FF,U+2010-2015,"
    "U+2018-201E,U+2022,U+2026,U+2030,U+2039,U+203A,U+20AC,U+2190-2193,U+2212"
)
EUROPE = (
    "U+0100-0107,U+010C-0113,U+0116-011B,U+011E-011F,U+0130-0131,U+0139-0148,U+0150-0155,U+0158-015B,"
    "U+015E-0161,U+0164-0165,U+016E-0171,U+0179-017E"
)


@dataclass(frozen=True)
class Package:
    """One npm package: where from, which checksum, which file becomes which."""

    name: str
    version: str
    sha256: str
    files: dict[str, str] = field(default_factory=dict)
    fonts: dict[str, tuple[str, str]] = field(default_factory=dict)


PACKAGES = (
    Package(
        "htmx.org",
        "4.0.1",
        "5fba65616ca148a86d377e9771bcada7f35faee3558651feb929eea425e13b3c",
        {"dist/htmx.min.js": "htmx.min.js", "dist/ext/hx-sse.min.js": "hx-sse.min.js"},
    ),
    Package(
        "sortablejs",
        "1.15.7",
        "66cbfc8fa18860783584fe0c346baf6cbf3399da72d23d21053425ba232abed4",
        {"Sortable.min.js": "sortable.min.js"},
    ),
    Package(
        "@fontsource-variable/atkinson-hyperlegible-next",
        "5.3.0",
        "75d5156505841b7dd4251398f0a5ff9e44120c87c2e388e9a108879b4def23a6",
        fonts={
            "files/atkinson-hyperlegible-next-latin-wght-normal.woff2": ("atkinson-latin.woff2", LATIN),
            "files/atkinson-hyperlegible-next-latin-ext-wght-normal.woff2": ("atkinson-europe.woff2", EUROPE),
        },
    ),
)


def main() -> None:
    """Fetch, check and unpack every package."""
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as directory:
            _take(package, _fetch(package, Path(directory)))


def _fetch(package: Package, directory: Path) -> Path:
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    (archive,) = directory.glob("*.tgz")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        sys.exit(f"{package.name} {package.version}: SHA-256 is {found}, not {package.sha256}")
    with tarfile.open(archive) as opened:
        opened.extractall(directory, filter="data")
    return directory / "package"


def _take(package: Package, unpacked: Path) -> None:
    for source, name in package.files.items():
        lines = (unpacked / source).read_text().splitlines()
        kept = [line for line in lines if not line.startswith("//# sourceMappingURL=")]
        (HERE / name).write_text("\n".join(kept).rstrip() + "\n")
    for source, (name, characters) in package.fonts.items():
        _subset(unpacked / source, HERE / name, characters)


def _subset(source: Path, target: Path, characters: str) -> None:
    narrowed = source.with_suffix(".ttf")
    _fonttools("varLib.instancer", "-q", str(source), WEIGHTS, "-o", str(narrowed))
    _fonttools(
        "subset",
        str(narrowed),
        f"--unicodes={characters}",
        f"--layout-features={FEATURES}",
        "--flavor=woff2",
        "--no-hinting",
        f"--output-file={target}",
    )


def _fonttools(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "fontTools", module, *arguments], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
