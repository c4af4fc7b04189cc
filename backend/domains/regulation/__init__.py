"""规章参数: every limit set by law or by the union, dated, as data (N7)."""
