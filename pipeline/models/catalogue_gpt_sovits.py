"""GPT-SoVITS: the pretrained models of each version, and the parts that they share.

All lie in one folder, in the layout of upstream's own `pretrained_models`, so that either program
can use the other's. The revision is of the hub's repository; the pins are of its files.
"""

from __future__ import annotations

from pipeline.models.sources import HubArchive, HubSource, Model, ModelFile

#: The versions that the engine speaks.
VERSIONS = ("v1", "v2", "v2Pro", "v2ProPlus")

#: The model that makes semantic tokens, by version (upstream: GPT).
S1 = {
    "v1": "s1bert25hz-2kh-longer-epoch=68e-step=50232.ckpt",
    "v2": "gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt",
    "v2Pro": "s1v3.ckpt",
    "v2ProPlus": "s1v3.ckpt",
}
#: The model that makes sound of them, by version (upstream: SoVITS).
S2 = {
    "v1": "s2G488k.pth",
    "v2": "gsv-v2final-pretrained/s2G2333k.pth",
    "v2Pro": "v2Pro/s2Gv2Pro.pth",
    "v2ProPlus": "v2Pro/s2Gv2ProPlus.pth",
}
#: Speaker verification, which the two v2Pro versions need.
SV = "sv/pretrained_eres2netv2w24s4ep4.ckpt"
#: Chinese text and recordings, which all versions need.
BERT = "chinese-roberta-wwm-ext-large"
HUBERT = "chinese-hubert-base"
#: Readings of Chinese characters, from v2 on.
G2PW = "G2PWModel"

#: The folder that all of them share.
FOLDER = "gpt-sovits"

_S1V3 = ModelFile(
    S1["v2Pro"], 155_284_856, "87133414860ea14ff6620c483a3db5ed07b44be42e2c3fcdad65523a729a745a"
)


def _hub(*files: ModelFile) -> HubSource:
    return HubSource("lj1995/GPT-SoVITS", "336b2ec4e8d4ac74740798dd40af44e74659ecaf", files)


def _version(version: str, purpose: str, *files: ModelFile) -> Model:
    needs = (BERT, HUBERT, "eres2net") if "Pro" in version else (BERT, HUBERT)
    return _part(f"gpt-sovits-{version}", purpose, "MIT", _hub(*files), needs=needs)


def _part(
    name: str,
    purpose: str,
    licence: str,
    source: HubSource | HubArchive,
    needs: tuple[str, ...] = (),
) -> Model:
    return Model(name, purpose, licence, (source,), shared_folder=FOLDER, needs=needs)


GPT_SOVITS = (
    _version(
        "v1",
        "voice cloning, first version",
        # Not pinned: no hash of these is published in more than one place.
        ModelFile(S1["v1"]),
        ModelFile(S2["v1"]),
    ),
    _version(
        "v2",
        "voice cloning",
        ModelFile(
            S1["v2"],
            155_315_150,
            "732f94e63b148066e24c7f9d2637f3374083e637635f07fbdb695dee20ddbe1f",
        ),
        ModelFile(
            S2["v2"],
            106_035_259,
            "924fdccaa3c574bf139c25c9759aa1ed3b3f99e19a7c529ee996c2bc17663695",
        ),
    ),
    _version(
        "v2Pro",
        "voice cloning, closer to the speaker",
        _S1V3,
        ModelFile(
            S2["v2Pro"],
            162_303_657,
            "0f8ead815234365edf045c6d86370ed6e4f440e8195be77ff0ea72684ad406a5",
        ),
    ),
    _version(
        "v2ProPlus",
        "voice cloning, closest to the speaker",
        _S1V3,
        ModelFile(
            S2["v2ProPlus"],
            200_125_741,
            "d42a22bbbf65fb2bbdd45ad6a66841156977db45c7aabe0a6992ff378d9c7d3b",
        ),
    ),
    _part(
        BERT,
        "reads Chinese for GPT-SoVITS",
        "Apache-2.0",
        _hub(
            ModelFile(
                f"{BERT}/config.json",
                963,
                "3d57de2fd7e80d0e5c8ff194f0bbb6baa10df7e43fc262a0cc71298a78b0a3e5",
            ),
            ModelFile(
                f"{BERT}/tokenizer.json",
                268_962,
                "173796956820ea27bd14f76bf28162607ff4254807e2948253eb5b46f5bb643b",
            ),
            ModelFile(
                f"{BERT}/pytorch_model.bin",
                651_225_145,
                "e53a693acc59ace251d143d068096ae0d7b79e4b1b503fa84c9dcf576448c1d8",
            ),
        ),
    ),
    _part(
        HUBERT,
        "hears recordings for GPT-SoVITS",
        "MIT",
        _hub(
            ModelFile(
                f"{HUBERT}/config.json",
                1_449,
                "c3e5060a1277e0f078cc6be9da4528a605dba6ece93018981fe2c820e5c7b103",
            ),
            ModelFile(
                f"{HUBERT}/preprocessor_config.json",
                212,
                "dcd684124d06722947939d41ea6ae58dbf10968c60a11a29f23ddc602c64a29b",
            ),
            ModelFile(
                f"{HUBERT}/pytorch_model.bin",
                188_811_417,
                "24164f129c66499d1346e2aa55f183250c223161ec2770c0da3d3b08cf432d3c",
            ),
        ),
    ),
    _part(
        "eres2net",
        "knows speakers for GPT-SoVITS v2Pro",
        "Apache-2.0",
        _hub(
            ModelFile(
                SV,
                107_528_697,
                "4f5a0bf73c61eb41b174e1bb54e7ee3c83233892be8e0af1f187024e8e581a35",
            )
        ),
    ),
    _part(
        "g2pw",
        "readings of Chinese for GPT-SoVITS",
        "Apache-2.0",
        HubArchive(
            HubSource(
                "XXXXRT/GPT-SoVITS-Pretrained",
                "0c47645e02a7bc3688d7b263b0042c81e3cd82cd",
                (
                    ModelFile(
                        "G2PWModel.zip",
                        588_856_634,
                        "46292be0374a49308069233cd5c147ae4c41806558e4781a2467a31a4d8099da",
                    ),
                ),
            ),
            tuple(
                ModelFile(f"{G2PW}/{name}")
                for name in (
                    "g2pW.onnx",
                    "POLYPHONIC_CHARS.txt",
                    "MONOPHONIC_CHARS.txt",
                    "bopomofo_to_pinyin_wo_tune_dict.json",
                    "char_bopomofo_dict.json",
                    "config.py",
                )
            ),
        ),
    ),
)
