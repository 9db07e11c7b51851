"""Renders a conversation by chat templates that mergekit 0.1.5 knows by name and that follow the published formats.

    python tools/golden/render-chats.py > packages/recipe/test/golden/chats.json

Only what the templates print is recorded, not the templates.
"""

import importlib.resources
import json

import jinja2
from mergekit._data import chat_templates

CONVERSATION = [
    {"role": "user", "content": "Where is the isthmus?"},
    {"role": "assistant", "content": "Between two basins."},
    {"role": "user", "content": "How wide?"},
]
SYSTEM = {"role": "system", "content": "Be brief."}


def fail(message):
    raise jinja2.TemplateError(message)


def render(text, messages, prompt):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = fail
    try:
        return environment.from_string(text).render(
            messages=messages, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>"
        )
    except jinja2.TemplateError as error:
        return None


rows = []
for name in ["chatml", "mistral"]:
    text = importlib.resources.files(chat_templates).joinpath(name + ".jinja").read_text()
    for prompt in [False, True]:
        for messages in [CONVERSATION, [SYSTEM, *CONVERSATION]]:
            rows.append({"name": name, "messages": messages, "prompt": prompt, "text": render(text, messages, prompt)})
print(json.dumps(rows, indent=1, ensure_ascii=False))
