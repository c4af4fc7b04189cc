"""ZIP files from outside. What an archive says of itself is written by whoever made it: Python's own `read` unpacks a
part whole before it looks at the size that was told, so a kilobyte could become gigabytes."""

import io
import zipfile
import zlib

_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)
"""What zipfile raises on a file that is no archive, or one with a password. OverflowError is an ArithmeticError."""
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What Excel, GoRules' editor and we write. Others unpack without a bound."""


class NotAnArchive(ValueError):
    pass


class TooLarge(ValueError):
    pass


class NamedTwice(ValueError):
    pass


def unpack(content: bytes, *, most_files: int, largest: int) -> dict[str, bytes]:
    """The files by name, of `largest` bytes together at most. Raises `NotAnArchive`, `TooLarge`, `NamedTwice`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive, most_files, largest)
    except (TooLarge, NamedTwice):
        raise
    except (*_BROKEN, OverflowError) as cause:
        raise NotAnArchive from cause


def _read(archive: zipfile.ZipFile, most_files: int, largest: int) -> dict[str, bytes]:
    held = [each for each in archive.infolist() if not each.is_dir()]
    if len(held) > most_files:
        raise TooLarge
    if len({each.filename for each in held}) != len(held):
        raise NamedTwice
    found, left = dict[str, bytes](), largest
    for each in held:
        if each.compress_type not in _PACKED:
            raise NotAnArchive
        if each.file_size > left:
            raise TooLarge
        with archive.open(each) as packed:
            found[each.filename] = packed.read(each.file_size)
            if len(found[each.filename]) != each.file_size:
                raise NotAnArchive
        left -= each.file_size
    return found


def pack(files: dict[str, bytes]) -> bytes:
    """For a reader that opens archives itself: every part is as large as it says."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()
