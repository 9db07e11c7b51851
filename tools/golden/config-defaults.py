"""Writes packages/zoo/test/golden/config-defaults.json.golden: the values that config classes of transformers and diffusers give to fields
which a config.json does not state, by the type of the model; of models that see images, those of the config of their texts. Fields that are
false, null or a list by default are left out, and so are fields that change no network.

config-defaults.test.ts compares packages/zoo/src/models/config-defaults.ts with them.

Made with transformers 5.24.0 and diffusers 0.42.1: python tools/golden/config-defaults.py
"""

import inspect
import json
import re
from pathlib import Path

import deepseek_moe
import diffusers
from transformers import CONFIG_MAPPING

FILE = Path(__file__).parents[2] / "packages/zoo/test/golden/config-defaults.json.golden"
TYPES = Path(__file__).parents[2] / "packages/zoo/src/models/model-types.ts"
# Of training and of programs that write texts: no field of these changes what a network computes.
NEUTRAL = re.compile(
    r"drop|pdrop|initializer|init_|^_|^(bos|cls|sep)_token|^(base_)?config_key|model_type|version|loss_coef|mask_|time_step|index$|summary"
    r"|is_encoder_decoder|use_(cache|associative)|residual_in|chunk_size|pretraining_tp|encoder_stride|sparse_pred|classifier_proj|median"
    r"|dense_act_fn|default_theta|scale_init|num_nextn|pooler_output|return_dict|jitter|addition_embed_type_num_heads"
)
# Ids of tokens that change what a network reads or computes.
TOKENS = {"clip_text_model": ["eos_token_id"], "whisper": ["pad_token_id", "decoder_start_token_id"]}
TOKENS |= {"t5": ["pad_token_id"], "roberta": ["pad_token_id"], "xlm-roberta": ["pad_token_id"]}
# Names of older configs for what version 5 stores in one object, by the kind of layers.
BASES = {
    "gpt_neox": {"": "rotary_emb_base"},
    "modernbert": {"full_attention": "global_rope_theta", "sliding_attention": "local_rope_theta"},
    "gemma3_text": {"full_attention": "rope_theta", "sliding_attention": "rope_local_base_freq"},
}


def class_of(name):
    if name == "deepseek":
        return deepseek_moe.DeepseekConfig
    whole = CONFIG_MAPPING[name]
    return whole.sub_configs.get("text_config", whole) if name not in ("clip", "siglip") else whole


def positions_of(config):
    """Returns the fields of rotary positions, under the names of older configs."""
    parameters = config.to_dict().get("rope_parameters") or {}
    share = "rotary_pct" if config.model_type == "gpt_neox" else "partial_rotary_factor"
    fields = {share: parameters["partial_rotary_factor"]} if "partial_rotary_factor" in parameters else {}
    for kind, name in BASES.get(config.model_type, {"": "rope_theta"}).items():
        object = parameters.get(kind, {}) if kind else parameters
        if "rope_theta" in object:
            fields[name] = object["rope_theta"]
    return fields


def stated(fields, tokens=()):
    kept = {name: value for name, value in fields.items() if isinstance(value, (int, float, str)) and value is not False}
    return {name: value for name, value in kept.items() if name in tokens or not (NEUTRAL.search(name) or name.endswith("token_id"))}


def defaults_of(name):
    if name.startswith("UNet"):
        signature = inspect.signature(getattr(diffusers, name).__init__)
        return stated({field: parameter.default for field, parameter in signature.parameters.items()})
    config_class = class_of(name)
    # As the class declares them, before they are derived from other fields, under the names of published configs.
    names = {stored: name for name, stored in config_class.attribute_map.items() if not hasattr(config_class, stored)}
    declared = [names.get(field, field) for field in config_class().to_dict()]
    fields = {field: getattr(config_class, field, None) for field in declared}
    fields["tie_word_embeddings"] = getattr((config_class if name == "deepseek" else CONFIG_MAPPING[name])(), "tie_word_embeddings", False)
    return stated(fields | positions_of(config_class()), TOKENS.get(name, ()))


def main():
    names = re.findall(r'^  "(.*)",$', TYPES.read_text(), re.MULTILINE)
    entries = [f'"{name}": {json.dumps(defaults_of(name))}' for name in names]
    FILE.write_text("{\n" + ",\n".join(entries) + "\n}\n")


main()
