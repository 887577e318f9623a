"""Traditional → simplified characters, one by one.

OpenCC's table, adjusted to the one that upstream has (text/zh_normalization/char_convert.py).
"""

from __future__ import annotations

from functools import cache

import opencc

#: Left as they are: most are a character of their own too (乾 in 乾坤, 徵 in 宫商角徵羽).
_KEPT = set(
    "乾俔俥俬倈傢儁儎冑剗勩卽厤叄吒唸啓啢嗊嚮垻埰墰墶壋壎壜壪夥奬嫺嫿嬃寀嶢嶨嶮巰幷廎彔彲徵悞慤憖"
    "懞戱扞拚挩挱捱掗揯搧摺擡擣敎敓斆於旣昇曏朮枴柺査梲棊棶榘榦榲槶槼樑樧樳樿欅殻氾汎汙泝洩涗淩渢"
    "溮溳溼漊潙澐澦澩濚濜瀂灧熅燻牀牴犛獃琱瑒瑲璡璫璸璿産畵痠瘺皁眞瞶硜碕磠祕秈穭窵竈箚篠簑糉糹紖"
    "絃絰綌綞綯綳緑緓緼縕纇罎羣羶翫翽耮脣脩菴菸萴葤蒐蒕蓆蔘薀薘薟薴薹藴蘀虆蠁袷襉襏襬覎訁訒訩詗説"
    "諝謡謭譸讅豔豶貟賵贋贜赬蹠軑軤輈輬輼遡酇醖醟醣釒鈃鈅鈒鈡鉆鉳鉶銍銱鋙鋣鋭鋶錩録錼鍃鍅鍈鍚鎌鎚"
    "鎭鎲鎸鏍鏽鐋鐶鑕鑱鑹钂閒閤閲闒闠闤隯霢靝鞝鞽韍韝頮頲頽颸飀飠飣飥飿餈餏餖餚餶餷馹騂騌騤驌驦驫"
    "鬹魛魢魨魺鮊鮋鮓鮜鮝鮦鮳鮶鮺鯒鯕鯝鯴鰁鰃鰏鰛鰜鰠鰵鰺鰼鱂鱠鱤鱨鱯鳬鳲鵃鵐鵮鵷鶊鶡鶥鶬鶹鶿鷁鷄"
    "鷊鷚鷫鸇鸌鸏鸘麫麯麴黶鼂齕齗齧"
)

#: Variants that OpenCC leaves as they are or makes something else of.
_VARIANTS = dict(
    zip(
        "㠯㵎㼝䠶䳘亾佀俲俻偪傌傚儗刦刧刼剉効勣勦勲咷哶唚啣嘊嘷塲姪嬝宂寳尒屭峩崐嶃嶴帬幇幚廹"
        "彊彞怳悳惥惪惷愙慂戞戼抝揹搯撧敍敱旹昰暱曡朶栢桮椀楄楳榜櫂櫺殀殽氷涖湼濬瀋煗牎牕獘玨"
        "珮琊琹瑯甦甯畬疉痺皐盌睪睺瞇砲礆礡禑秌稭稾窓窰窻竝筩筯簷籐籖粃粺糭紥緜緥纉羗翄翺耑肈"
        "膆臕艶荳菕萹蔴薙虵蝯蝱蠭衂裌褭襃覇託詧誖諠諮謌譌譔貎躛躳輙辠辢辤逕遉鉅銲銾鋻鍾鏇閧隂"
        "隄鞌韮顇飜飤餔餘餻餽饍駮髈髐鬪鬭鮌鱓鵞麼",
        "以涧碗射鹅亡似效备逼骂效拟劫劫劫锉效绩剿勋啕咩吣衔啀嗥场侄袅冗宝尔屃峨昆崭岙裙帮帮迫"
        "强彝恍德恿德蠢恪恿戛卯拗背掏撅叙敳时是昵叠朵柏杯碗匾梅搒棹棂夭肴冰莅涅浚渖暖窗窗毙珏"
        "佩玡琴琅苏宁畲叠痹皋碗睾喉眯炮硷礴祦秋秸稿窗窑窗并筒箸檐藤签秕稗粽扎绵褓缵羌翅翱专肇"
        "嗉膘艳豆芲扁麻剃蛇猿虻蜂衄夹袅褒霸讬察悖喧谘歌讹撰猊躗躬辄罪辣辞迳侦钜焊汞鉴锺镟哄阴"
        "堤鞍韭悴翻饲哺馀糕馈膳驳膀髇斗斗鲧鳝鹅麽",
        strict=True,
    )
)


def simplify(text: str) -> str:
    """Write traditional characters and variants in simplified form; the length stays."""
    return "".join(map(_simplified, text))


@cache
def _simplified(character: str) -> str:
    if character in _VARIANTS:
        return _VARIANTS[character]
    simplified = _opencc().convert(character)
    return simplified if character not in _KEPT and is_basic(simplified) else character


def is_basic(character: str) -> bool:
    """Tell whether a character is one of the Chinese characters that upstream reads."""
    return "\u4e00" <= character <= "\u9fa5"


@cache
def _opencc() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
