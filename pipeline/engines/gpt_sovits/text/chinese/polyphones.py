"""Readings of whole words, which go before what a model says of their characters.

Upstream's dictionary (text/g2pw/polyphonic*.rep) is pypinyin's phrase dictionary of some years ago,
less phrases it did not trust and with a few readings of its own; it is told apart by these.
"""

from __future__ import annotations

from collections.abc import Sequence

from pypinyin.constants import PHRASES_DICT

from pipeline.engines.gpt_sovits.text.chinese import pinyin
from pipeline.engines.gpt_sovits.text.chinese.model_words import MODEL_WORDS

_READINGS = {
    "中医": "zhong1 yi1",
    "乌拉草": "wu4 la5 cao3",
    "作坊": "zuo1 fang5",
    "克分子": "ke4 fen4 zi3",
    "分子运动论": "fen4 zi3 yun4 dong4 lun4",
    "分子钟": "fen4 zi3 zhong1",
    "卷甲束兵": "juan4 jia3 shu4 bing1",
    "卷甲衔枚": "juan4 jia3 xian2 mei2",
    "口吃": "kou3 chi1",
    "唉": "ai4",
    "唑": "zuo4",
    "嘚瑟": "de4 se5",
    "嚷嚷": "rang1 rang5",
    "圈养": "juan4 yang3",
    "屏声静气": "ping2 sheng1 jing4 qi4",
    "差不多": "cha4 bu5 duo1",
    "幸免于难": "xing4 mian3 yu2 nan4",
    "怀揣": "huai2 chuai1",
    "手里": "shou2 li3",
    "抗住": "kang2 zhu4",
    "挑剔": "tiao1 ti4",
    "援藏": "yuan2 cang2",
    "撒切尔": "sa4 qie4 er3",
    "放大率": "fang4 da4 shuai4",
    "朝鲜": "chao2 xian3",
    "柏树": "bai3 shu4",
    "标识": "biao1 zhi4",
    "比比皆是": "bi3 bi3 jie1 shi4",
    "毛发倒竖": "mao2 fa1 dao3 shu4",
    "毛发耸然": "mao2 fa1 song3 ran2",
    "牦": "mao2",
    "牦牛": "mao2 niu2",
    "牵强附合": "qian1 qiang2 fu4 he2",
    "眼眶": "yan3 kuang4",
    "行行": "xing2 xing2",
    "解法": "jie3 fa3",
    "解铃还需系铃人": "jie3 ling2 hai2 xu1 ji4 ling2 ren2",
    "连更彻夜": "lian2 geng4 che4 ye4",
    "连更晓夜": "lian2 geng4 xiao3 ye4",
    "郭晟": "guo1 sheng4",
    "陈威行": "chen2 wei1 hang2",
    "露背": "lu4 bei4",
    "骨头": "gu3 tou5",
}


def correct(word: str, readings: Sequence[str]) -> list[str]:
    """Return the readings of a word's characters, from the dictionary where it knows the word."""
    if word in _READINGS:
        return _READINGS[word].split()
    if word in PHRASES_DICT and word not in MODEL_WORDS:
        return pinyin.readings(word)
    return [_READINGS.get(character, own) for character, own in zip(word, readings, strict=True)]
