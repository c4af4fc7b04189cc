"""Every table that cannot train ends in one Chinese sentence and exit 2 (A1-05, issue 3 section 3)."""

import numpy
import polars as pl
import pytest

from backend.domains.models.training import command, tables
from backend.domains.models.training.options import Options


def refused(path, capsys, *options) -> str:
    """The one line said; the exit is 2 and nothing is written."""
    out = path.parent / "out"
    assert command.main([str(path), "--target", "坏", *options, "--out", str(out), "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert not out.exists()
    return said.err


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "文件是空的"),
        (b" \n \n", "文件是空的"),
        ("a,坏\n".encode(), "没有数据行"),
        (b"\xff\xfe\xff\n", "不是 UTF-8 或 GBK"),
        ("a,坏\n1,0\n".encode("gb18030"), "只有一种值"),
        ("a,坏\n1,0\n".encode("utf-8-sig"), "只有一种值"),
        ("a;坏\n1;0\n".encode(), "像是分号"),
        ("a\t坏\n1\t0\n".encode(), "像是制表符"),
        (b"\x00\x01\x02", "不是 CSV 或 Parquet"),
        (b"PAR1 and nothing more", "不是完好的 Parquet"),
        ("a,a,坏\n1,2,0\n".encode(), "重名的列：a"),
        ("a,,坏\n1,2,0\n".encode(), "有一列没有名字"),
        ("a,坏\n1,0,5\n1,1\n".encode(), "列数和表头对不上"),
        (b"a,b\n1,2\n", "没有 坏 这一列"),
        ("a,坏\n1,0\n2,0\n".encode(), "只有一种值"),
        ("a,坏\n1,0\n2,1\n3,2\n".encode(), "同时有 0 和 1"),
        ("a,坏\n1,好\n2,坏\n".encode(), "同时有 0 和 1"),
        ("a,坏\n1,0\n2,1\n3,\n".encode(), "有 1 行是空的"),
        (("a,坏\n" + "1,0\n" * 500 + "2,1\n" * 5).encode(), "至少 100 个"),
        (("a,坏\n" + "1,0\n" * 300 + "1,1\n" * 300).encode(), "没有一列可以用来预测"),
    ],
)
def test_a_file_that_is_no_table_to_train_on(content, sentence, tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    assert sentence in refused(path, capsys)


def test_a_file_that_is_not_there_and_a_folder(tmp_path, capsys):
    assert "没有这个文件" in refused(tmp_path / "none.csv", capsys)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "这是文件夹" in refused(folder, capsys)


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--exclude", "没有"], "没有 没有 这一列（--exclude）"),
        (["--only", "没有"], "--only"),
        (["--group", "没有"], "--group"),
        (["--out-of-time", "没有"], "--out-of-time"),
        (["--monotone", "没有=ascending"], "--monotone"),
        (["--monotone", "用卡率=up"], "列=ascending"),
        (["--monotone", "用卡率"], "列=ascending"),
        (["--monotone", "职业=ascending"], "是类别，不能指定单调"),
        (["--monotone", "常数=ascending"], "只有一种值"),
        (["--only", "坏"], "目标列 坏 不能又写在 --only"),
        (["--only", "常数"], "没有一列可以用来预测"),
        (["--out-of-time", "常数"], "只有一个时间"),
        (["--out-of-time", "用卡率"], "要是日期或期数"),
        (["--out-of-time", "职业"], "要是日期或期数"),
        (["--out-of-time", "存款"], "有空值"),
        (["--test-share", "0.9"], "0.1 到 0.5"),
        (["--pdo", "0"], "都要是正数"),
        (["--seed", "-1"], "不能是负数"),
        (["--live", "/nowhere.json"], "读不到 /nowhere.json"),
    ],
)
def test_what_is_asked_of_a_good_table_but_cannot_be(options, sentence, csv_file, tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_bytes(csv_file.read_bytes())
    assert sentence in refused(path, capsys, *options)


@pytest.mark.parametrize(
    "leak",
    [
        pl.col("坏"),
        1 - pl.col("坏") * 5,
        pl.when(pl.col("坏") == 1).then(pl.lit("核销")).otherwise(pl.lit("正常")),
        pl.when(pl.col("坏") == 1).then(30 + pl.col("近半年查询")).otherwise(None),  # only the bad have it
        pl.when((pl.col("坏") == 1) & (pl.col("近半年查询") > 0)).then(1).otherwise(0),  # half of the bad
        pl.col("坏") * 100 + pl.col("用卡率"),
    ],
)
def test_a_column_that_knows_the_outcome_is_named(leak, table, tmp_path, capsys):
    table.with_columns(催收记录=leak).write_csv(tmp_path / "table.csv")
    assert "催收记录 几乎直接说出了结果" in refused(tmp_path / "table.csv", capsys)


def test_without_the_leak_the_same_table_trains(table, tmp_path):
    table.with_columns(催收记录=pl.col("坏")).write_csv(tmp_path / "table.csv")
    given = [
        str(tmp_path / "table.csv"),
        "--target",
        "坏",
        "--exclude",
        "催收记录",
        "--out",
        str(tmp_path),
        "--json",
    ]
    assert command.main(given) == 0


def test_noise_alone_gives_no_model(tmp_path, capsys):
    draw = numpy.random.default_rng(1)
    frame = pl.DataFrame(
        {"a": draw.normal(size=3000), "b": draw.integers(0, 9, 3000), "坏": draw.integers(0, 2, 3000)}
    )
    frame.write_csv(tmp_path / "table.csv")
    assert "没有一列能区分好坏" in refused(tmp_path / "table.csv", capsys)


def test_columns_that_cannot_predict_are_left_out_with_a_note(table, tmp_path, capsys):
    rows = table.height
    table.with_columns(
        行号=pl.int_range(rows), 全空=pl.lit(None, dtype=pl.Float64), 开户日=pl.lit("2025-03-01"),
        村名=pl.Series([f"村{number % 500}" for number in range(rows)]),
    ).write_csv(tmp_path / "table.csv")  # fmt: skip
    given = [str(tmp_path / "table.csv"), "--target", "坏", "--out", str(tmp_path / "o"), "--json"]
    assert command.main(given) == 0
    out = capsys.readouterr().out
    for sentence in (
        "行号：像编号",
        "全空：整列都是空的",
        "开户日：是日期",
        "村名：有 500 种类别",
        "客户编号：几乎每行都不同",
    ):
        assert sentence in out


@pytest.mark.parametrize("written", ["{:,}", "{}"], ids=["with commas", "in full width"])
def test_a_number_as_people_write_it_is_no_category_without_a_word(written, table, tmp_path, capsys):
    wide = str.maketrans("0123456789", "０１２３４５６７８９") if written == "{}" else {}
    words = [written.format(1000 + number % 90 * 7).translate(wide) for number in range(table.height)]
    path = tmp_path / "table.csv"
    table.with_columns(年收入=pl.Series(words)).write_csv(path)
    said = refused(path, capsys)
    assert f"年收入 多半是数，但有 {table.height} 行写成了全角数字或带千分位逗号（如 {words[0]}）" in said
    table.with_columns(年收入=pl.Series([f"{word},{word}A" for word in words]).head(table.height)).write_csv(
        path
    )
    assert command.main([str(path), "--target", "坏", "--out", str(tmp_path / "o"), "--json"]) == 0


def test_a_column_that_is_not_there_comes_with_those_that_may_be_meant(table, tmp_path, capsys):
    path = tmp_path / "table.csv"
    table.write_csv(path)
    assert "没有 近半年查寻 这一列（--target），名字相近的有：近半年查询" in refused(
        path, capsys, "--target", "近半年查寻"
    )
    assert "没有 xyz 这一列（--target），表里有：客户编号、月份" in refused(path, capsys, "--target", "xyz")


def test_a_model_that_does_not_separate_says_so(csv_file, tmp_path, capsys):
    """Trained on one half of the people, measured on another whose outcome has nothing to do with what is known."""
    frame = pl.read_csv(csv_file)
    draw = numpy.random.default_rng(4)
    late = frame.height - 1200
    mixed = frame.get_column("坏").to_numpy().copy()
    mixed[late:] = draw.integers(0, 2, 1200)
    path = tmp_path / "table.csv"
    period = pl.Series([202501] * late + [202601] * 1200)
    frame.drop("月份").with_columns(坏=pl.Series(mixed), 期=period).write_csv(path)
    given = [str(path), "--target", "坏", "--out-of-time", "期", "--out", str(tmp_path / "o")]
    assert command.main(given) == 0
    assert "这个模型分不开好坏" in capsys.readouterr().out
    assert "这个模型分不开好坏" in (tmp_path / "o" / "report.html").read_text()


def test_a_live_model_of_other_columns_is_named(table, card_folder, tmp_path, capsys):
    path = tmp_path / "table.csv"
    table.drop("用卡率").write_csv(path)
    said = refused(path, capsys, "--live", str(card_folder / "scorecard.json"))
    assert "表里没有：用卡率" in said


def test_a_live_file_that_is_no_model(table, csv_file, tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_bytes(csv_file.read_bytes())
    (tmp_path / "live.json").write_text('{"kind": "magic"}')
    assert "没有叫 magic 的模型种类" in refused(path, capsys, "--live", str(tmp_path / "live.json"))
    (tmp_path / "live.json").write_text("[")
    assert "不是模型" in refused(path, capsys, "--live", str(tmp_path / "live.json"))


def test_a_table_of_a_chinese_spreadsheet_is_read_as_it_is(table, tmp_path):
    """GBK, as Excel saves a CSV, gives the same columns as UTF-8."""
    text = table.write_csv()
    for name, encoding in (("utf8.csv", "utf-8-sig"), ("gbk.csv", "gb18030")):
        (tmp_path / name).write_bytes(text.encode(encoding))
    one, two = (tables.read(tmp_path / name, Options(target="坏")) for name in ("utf8.csv", "gbk.csv"))
    assert list(one.columns) == list(two.columns)
    assert one.frame.equals(two.frame)


def test_a_month_is_no_category_to_learn_from(table, tmp_path):
    """A month of the past says nothing of one to come."""
    table.write_csv(tmp_path / "t.csv")
    read = tables.read(tmp_path / "t.csv", Options(target="坏"))
    assert "月份" not in read.columns
    assert any(note.startswith("月份：是日期或期数") for note in read.notes)
