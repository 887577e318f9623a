"""Numbers with a unit: temperatures, measures, counted things.

Upstream: text/zh_normalization/quantifier.py and the counting rule of num.py.
"""

from __future__ import annotations

import re

from pipeline.engines.gpt_sovits.text.chinese.numbers import number

#: In the order in which they are replaced, wherever they stand; "mm" never gets its turn after "m".
_MEASURES = {
    "cm2": "平方厘米",
    "cm²": "平方厘米",
    "cm3": "立方厘米",
    "cm³": "立方厘米",
    "cm": "厘米",
    "db": "分贝",
    "ds": "毫秒",
    "kg": "千克",
    "km": "千米",
    "m2": "平方米",
    "m²": "平方米",
    "m³": "立方米",
    "m3": "立方米",
    "ml": "毫升",
    "m": "米",
    "mm": "毫米",
    "s": "秒",
}

_DEGREES = "°C|℃|度|摄氏度"
_TEMPERATURE = re.compile(rf"(-?)([0-9]+(?:\.[0-9]+)?)(?:{_DEGREES})")

_AMOUNT = r"(?:-?[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_UNIT = "(?:%|" + "|".join([_DEGREES, *_MEASURES]) + ")"
_RANGE = re.compile(f"{_AMOUNT}{_UNIT}~{_AMOUNT}{_UNIT}")

#: Counting words and units before which a number is a quantity: 2个 is 两个.
_COUNTED = (
    "处台架枚趟幅平方堵间床株批项例列篇栋注亩封艘把目套段人所朵匹张座回场尾条个首阙阵网炮顶丘棵只支袭辆挑担颗"
    "壳窠曲墙群腔砣客贯扎捆刀令打手罗坡山岭江溪钟队单双对出口头脚板跳枝件贴针线管名位身堂课本页家户层丝毫厘"
    "分钱两斤铢石钧锱忽寸尺丈里寻常铺程千米撮勺合升斗盘碗碟叠桶笼盆盒杯斛锅簋篮罐瓶壶卮盏箩箱煲啖袋钵年月日季"
    "刻时周天秒旬纪岁世更夜春夏秋冬代伏辈丸泡粒幢堆根道面片块元亿万百吨角毛"
)
_COUNTED_LONG = "小时|微克|公分|美元|十吨"
_QUANTITY = re.compile(rf"([0-9]+)([多余几+]?)([{_COUNTED}]|{_COUNTED_LONG})")


def read_measures(text: str) -> str:
    """-3℃ → 零下三度, 5~8km → 5~8千米, 3kg~5kg → 3千克至5千克."""
    text = _RANGE.sub(lambda match: match[0].replace("~", "至"), text)
    text = _TEMPERATURE.sub(_temperature, text)
    for unit, said in _MEASURES.items():
        text = text.replace(unit, said)
    return text


def _temperature(match: re.Match[str]) -> str:
    return ("零下" if match[1] else "") + number(match[2]) + "度"


def read_counts(text: str) -> str:
    """2个 → 两个, 100+人 → 一百多人."""
    return _QUANTITY.sub(_quantity, text)


def _quantity(match: re.Match[str]) -> str:
    amount = number(match[1])
    more = match[2].replace("+", "多")
    return ("两" if amount == "二" else amount) + more + match[3]
