"""The command line: `./xiaodai COMMAND`. Each command is a file in backend/commands with two functions."""

import importlib
import os
import sys

from backend.commands import wrong_use
from backend.core.errors import Problem
from backend.settings import Unsafe
from backend.web import logs

COMMANDS = {
    "up": "在本机启动全部：数据库、网站、后台任务、证件识别、沙箱",
    "test": "准备并运行全部测试，含浏览器测试",
    "check": "代码检查：ruff、mypy --strict、import-linter",
    "serve": "只启动网站",
    "worker": "只启动后台任务",
    "sandbox": "只启动沙箱（外部世界的替身）",
    "ocr-service": "只启动证件识别",
    "migrate": "更新数据表",
    "seed": "写入演示数据；--county 造演练县",
    "settings": "列出全部设置及含义",
    "audit": "核对审计链：audit verify",
    "rotate-keys": "把加密字段换成当前密钥",
    "ocr": "读证件照片：ocr FILE… --json",
    "train": "用一份表训练评分卡或树模型：train DATA --target 列",
    "decide": "对一个案例做决策：decide CASE.json",
    "facts": "数据目录：每项数据的来源、依据、授权、价格；facts --sources 看断供时怎么办",
    "capsule": "把一笔审批的全部依据写成一个存证文件：capsule 申请编号 --out FILE --reason 理由",
    "replay": "核对存证文件，或把一次决策重做一遍",
    "backtest": "在演练县或历史案例上试算一版规则",
    "score-batch": "给一批客户批量评分",
    "inspect": "客服查询：inspect OPENID|申请编号 --json",
    "menu": "公众号菜单：menu publish|show",
    "journey": "让虚构的客户走完整条路",
    "bench": "性能比值",
    "lock": "按 pyproject.toml 重新生成 requirements.lock",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command. Wrong use prints one line and returns 2, a database that is away one line and 1."""
    parser = wrong_use.Parser(prog="xiaodai", description="小贷云工作室")
    choices = parser.add_subparsers(dest="command", metavar="COMMAND")
    given = (sys.argv[1:] if argv is None else argv)[:1]
    for name, meaning in COMMANDS.items():
        sub = choices.add_parser(name, help=meaning, description=meaning)
        if given == [name]:
            module = importlib.import_module(f"backend.commands.{name.replace('-', '_')}")
            module.arguments(sub)
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 2
    try:
        result: int = importlib.import_module(f"backend.commands.{args.command.replace('-', '_')}").run(args)
        sys.stdout.flush()
    except Unsafe as problem:
        print(f"不能启动：{problem}", file=sys.stderr)
        return 2
    except Problem as problem:
        print(problem.text, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has seen enough (`… | head`); the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result


if __name__ in {"__main__", "__mp_main__"}:
    # Standard output is the command's answer, `--json` most of all. The second name: processes a trial starts.
    logs.configure("warning")

if __name__ == "__main__":
    raise SystemExit(main())
