"""Tar archives, of a stranger or not."""

import io
import tarfile


def make_tar(path, members: dict[str, bytes], mode: str = "w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def add_member(archive, name, kind=tarfile.REGTYPE, linkname="", content=b""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, linkname, len(content)
    archive.addfile(member, io.BytesIO(content))
