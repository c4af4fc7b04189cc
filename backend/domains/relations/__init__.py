"""关系图谱: what people share, how often it comes up, whom lists name, and what hangs together by it (A6-01, N9)."""
