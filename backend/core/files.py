"""What kind of file somebody gave where another was expected, in words."""

_BEGINNINGS = (
    (b"%PDF", "PDF 文件"),
    (b"\x89PNG", "图片（PNG）"),
    (b"\xff\xd8\xff", "图片（JPG）"),
    (b"GIF8", "图片（GIF）"),
    (b"\xd0\xcf\x11\xe0", "旧格式的 Office 文件（如 .xls、.doc）"),
    (b"Rar!", "压缩包（RAR）"),
    (b"7z\xbc\xaf", "压缩包（7z）"),
    (b"\x1f\x8b", "压缩包（GZ）"),
)
_INSIDE = ((b"xl/", "Excel 文件（.xlsx）"), (b"word/", "Word 文件（.docx）"), (b"ppt/", "PPT 文件（.pptx）"))


def said(content: bytes) -> str:
    """`给的是 PDF 文件`; looks at no more than the bytes a file of its kind begins with."""
    if not content:
        return "给的是空文件"
    for start, name in _BEGINNINGS:
        if content.startswith(start):
            return f"给的是 {name}" if name[0].isascii() else f"给的是{name}"
    if content.startswith(b"PK\x03\x04"):
        return f"给的是 {next((name for mark, name in _INSIDE if mark in content), '压缩包（ZIP）')}"
    try:
        text = (
            content[:4096].decode("utf-8-sig", errors="ignore" if len(content) > 4096 else "strict").lstrip()
        )
    except UnicodeDecodeError:
        return "给的是认不出的文件，或文件坏了"
    if text.startswith(("{", "[")):
        return "给的是 JSON 文件，或没有写完整的 JSON"
    return "给的是网页或 XML" if text.startswith("<") else "给的是一般的文字文件（如 .txt、.csv）"
