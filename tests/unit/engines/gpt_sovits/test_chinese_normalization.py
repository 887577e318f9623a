"""Each rule by an example; the parity tests hold them all against upstream."""

from __future__ import annotations

import pytest

from pipeline.engines.gpt_sovits.text.chinese import numbers
from pipeline.engines.gpt_sovits.text.chinese.normalization import normalize


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("0", "零"),
        ("10", "十"),
        ("12", "十二"),
        ("20", "二十"),
        ("101", "一百零一"),
        ("110", "一百一十"),
        ("1001", "一千零一"),
        ("10086", "一万零八十六"),
        ("110000", "十一万"),
        ("100000001", "一亿零一"),
        ("007", "七"),
    ],
)
def test_whole_numbers_are_said_with_units(number, said):
    assert numbers.cardinal(number) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [("3.14", "三点一四"), (".5", "零点五"), ("3.200", "三点二零"), ("10.0", "十点零")],
)
def test_decimals_are_said_digit_by_digit_with_at_most_one_zero_at_the_end(number, said):
    assert numbers.number(number) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2024年3月15日", "二零二四年三月十五日"),
        ("98年12月1号", "九八年十二月一号"),
        ("2024-05-06", "二零二四年五月六日"),
        ("2025/01/31", "二零二五年一月三十一日"),
        ("8:05", "八点零五分"),
        ("14:30", "十四点半"),
        ("9:15:30", "九点十五分三十秒"),
        ("8:30-17:00", "八点半至十七点"),
    ],
)
def test_dates_and_times(written, said):
    assert normalize(written) == said


def test_the_end_of_a_time_range_is_at_half_past_if_its_start_is_as_upstream_has_it():
    assert normalize("8:30-12:45") == "八点半至十二点半"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("-3℃", "零下三度"),
        ("37.5摄氏度", "三十七点五度"),
        ("5km", "五千米"),
        ("120m²", "一百二十平方米"),
        ("3kg~5kg", "三千克至五千克"),
        ("2个", "两个"),
        ("12个", "十二个"),
        ("100+人", "一百多人"),
        ("3小时", "三小时"),
        ("60km/h", "六十千米每"),
    ],
)
def test_quantities(written, said):
    assert normalize(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1+2=3", "一加二等于三"),
        ("3×4-5", "三乘四减五"),
        ("5²", "五的二次方"),
        ("2/3", "三分之二"),
        ("-2.5%", "负百分之二点五"),
        ("3~5", "三到五"),
        ("(-7)", "负七"),
        ("2.0.1", "二点零点一"),
        ("α+Δ", "阿尔法加德尔塔"),
        ("①②", "一二"),
    ],
)
def test_arithmetic_and_symbols(written, said):
    assert normalize(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("13812345678", "幺三八幺二三四五六七八"),
        ("+8613812345678", "八六幺三八幺二三四五六七八"),
        ("62345678", "六二三四五六七八"),
        ("4008208820", "四零零八二零八八二零"),
        ("305室", "三零五室"),
    ],
)
def test_telephone_numbers_and_codes_are_said_digit_by_digit(written, said):
    assert normalize(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("《红楼梦》，“好”！", "红楼梦,好!"),
        ("等等……我", "等等…我"),
        ("真的！！！？", "真的!"),
        ("哎～", "哎…"),
        ("你 好\n世界", "你好世界"),
        ("嗯，呣", "恩,母"),
        ("１２３Ａ", "幺二三"),
        ("歡迎來到臺灣", "欢迎来到台湾"),
        ("乾坤，二〇二四年", "乾坤,二零二四年"),
        ("", ""),
    ],
)
def test_marks_and_characters(written, said):
    assert normalize(written) == said
