"""A mild prior over characters in addresses and names of authorities.

Place names use characters that look like everyday ones (塆 like 垮, 颍 like 颖, 垱 like 档). A weight multiplies the
posterior of a character: a clear reading wins against it, an undecided one is settled by it. Measured on the `tune`
seeds of tests/benchmarks/ocr_figures.py.
"""

_PLACES = "垸塆颍濉垱畈圩坳垌垭堰埠墩坂垴岙峪崮峒淝澧濮浉溵郾郏洧浚滑淅泌潢淠坨坻埝埂垛塬崖嵖岈汝洑滍"
_LOOK_ALIKES = {
    "垮": 0.02, "坑": 0.25, "颖": 0.12, "档": 0.08, "挡": 0.05, "增": 0.15, "贩": 0.05, "版": 0.1, "瓯": 0.2,
    "烷": 0.02, "琮": 0.1, "址": 0.1, "滩": 0.5, "潍": 0.5, "垃": 0.02, "均": 0.3, "墙": 0.2, "雌": 0.05,
    "摊": 0.05, "弯": 0.2, "皈": 0.05, "珰": 0.05, "埼": 0.1, "两": 0.4, "当": 0.5, "坷": 0.2, "诸": 0.5,
    "详": 0.1, "睢": 0.7, "眠": 0.1, "拥": 0.1, "埋": 0.1, "吐": 0.1, "郊": 0.4, "侯": 0.7, "候": 0.05,
    "祥": 0.7, "己": 0.1, "已": 0.1, "阵": 0.2, "拔": 0.3,
}  # fmt: skip
ADDRESS: dict[str, float] = {**dict.fromkeys(_PLACES, 4.0), **_LOOK_ALIKES}
