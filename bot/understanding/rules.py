"""Words people use for a topic. Ordered: the first topic whose pattern is found wins.

A complaint comes before everything (D4-09), a wish for a person before any answer of ours: those of `FIRST` never
depend on a share of certainty.
"""

import re

TOPICS: dict[str, str] = {
    "progress": "进度",
    "limit": "额度",
    "repayment": "还款",
    "products": "产品",
    "officer": "客户经理",
    "human": "人工",
    "complaint": "投诉",
    "help": "帮助",
    "greeting": "问好",
    "thanks": "道谢",
    "unbind": "解绑",
    "safety": "转账",
    "none": "没听懂",
}

_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "complaint",
        r"投诉|举报|complain|scam|fraud|骗|诈|冒充|好处费|保证金|茶水费|中介费|乱(收|扣)|收.{0,5}(手续费|块钱)|交钱就|态度.{0,3}(差|不好|恶劣)"
        r"|骚扰|骂人|泄露|搭售|强制|12378|银保监|金融监管|说法|不讲理|欺负|算错|拿我的身份证"
        r"|多(收|扣|要)|中介|送.{0,4}(烟|酒|礼)"
        # A loan in somebody's name that they never took: never answered with what else there is to borrow.
        r"|冒名|冒用|盗用|(有人|别人|他|她|谁).{0,6}[用拿]了?我的?(身份证?|名字|名义)|身份证?.{0,3}被.{0,4}[用拿]"
        r"|(贷款|借款|申请|这笔).{0,4}不是我(本人)?(办|借|贷|申请)?的|不是我(本人)?(办|借|贷|申请)的"
        r"|没(有)?(借|贷|办|申请)过.{0,5}(咋|怎么|为啥|为什么|凭)",
    ),
    (
        "human",
        r"人工(?!复核|审|看)|真人|human|agent|representative|活人|客服|接线员|工作人员|转接|回(个)?电(话)?|打(个)?电话给我|(来|找|换|叫|派)个人|跟人说"
        r"|有人吗|听不懂|说不清",
    ),
    ("unbind", r"解绑|(解除|取消|断开).{0,3}(绑定|关联)|换了?(个|新)?微信|不是我的微信"),
    ("officer", r"客户经理|loan officer|manager|信贷员|业务员|经理|工号|谁(负责|管|办)|网点|支行|李四"),
    (
        "repayment",
        r"repay|pay (it )?back|还款|还钱|还贷|还清|还(不上|多少)|提前还"
        r"|逾期|欠|月供|扣款|结清|本金|哪天还|时候还|一次还|延期|缓几天|到期日",
    ),
    (
        "limit",
        r"limit|额度|授信|批了多少|提额|(还|我).{0,4}(能|可以)(用|再用|借|支取).{0,3}多少|还剩多少|上限",
    ),
    (
        "progress",
        r"status|progress|进度|进展|审(核|批)|批(下来|了没|了吗)|到哪(了|一步)?|哪一步|结果|通过了|过了没|下来(了|没)|放款|到账|多久|状态|复核"
        r"|申请.{0,4}(怎么样|咋样|如何|编号)|办下来|没消息"
        r"|被?拒(绝)?(了|的?原因|的?理由)|驳回|没(有)?通过|没批|为(啥|什么|何).{0,4}[没不](通过|批)|催(催|一下|办)",
    ),
    (
        "products",
        r"loan|borrow|interest rate|产品|贷款|借钱|借款|信用贷|利率|利息|能贷"
        r"|想(贷|借)|怎么(借|贷|申请|办)|条件|材料|担保|抵押|公积金|(随享|花木|香菇|快捷|存单)贷",
    ),
    ("safety", r"转(账|钱)|打(点)?钱给|汇款|汇钱|红包|刷(单|流水)|验证码|密码"),
    (
        "help",
        r"帮助|菜单|说明|功能|怎么用|不会用|怎么操作|(能|会)(做|干)?(什么|啥)|你是谁|指南|help|^[?？]+$",
    ),
    ("thanks", r"谢|^(好|好的|嗯+|行|可以|ok|收到|知道了|明白了|中|辛苦了|没事了|不用了)[啊呀嘞的了。!！]*$"),
    ("greeting", r"^(你好|您好|在吗|在不在|喂|hi|hello|哈喽|嗨)|(早上|中午|下午|晚上|新年|老师)好"),
)
FIRST = frozenset({"complaint", "human", "unbind", "safety"})

RULES = tuple((topic, re.compile(pattern, re.I)) for topic, pattern in _PATTERNS)


def topic_of(words: str) -> str:
    """The topic of the first rule that fits, or `none`."""
    return next((topic for topic, pattern in RULES if pattern.search(words)), "none")
