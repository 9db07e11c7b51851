import { closestName, excerpt, readTextFile, UsageError } from "@isthmus/core";
import { join } from "@isthmus/platform";
import { exists, readExactJson } from "./exact-json.ts";
import { isRecord } from "./model-parts.ts";

/** Published formats of conversations, by the names that mergekit's recipes use. */
const NAMED: Readonly<Record<string, string>> = {
  alpaca: `{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] }}{% elif message['role'] == 'user' %}{{ '### Instruction:\\n' + message['content'] }}{% else %}{{ '### Response:\\n' + message['content'] }}{% endif %}{{ '\\n\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}`,
  chatml: `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`,
  exaone: `{% if messages[0]['role'] != 'system' %}{{ '[|system|][|endofturn|]\\n' }}{% endif %}{% for message in messages %}{{ '[|' + message['role'] + '|]' + message['content'] }}{% if message['role'] != 'user' %}{{ '[|endofturn|]' }}{% endif %}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '[|assistant|]' }}{% endif %}`,
  llama3: `{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`,
  mistral: `{{ bos_token }}{% set state = namespace(system='') %}{% for message in messages %}{% if message['role'] == 'system' %}{% set state.system = message['content'] + '\\n\\n' %}{% elif message['role'] == 'user' %}{{ ' [INST] ' + state.system + message['content'] + ' [/INST]' }}{% set state.system = '' %}{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}`,
};

/**
 * Chooses the chat template of a merged network.
 *
 * Differs from mergekit in the output of `llama3`, `alpaca` and `exaone`: mergekit's templates have line
 * breaks and spaces that the published formats lack.
 *
 * @param choice - `auto` for the template of most directories (the first of equally many), a name such as
 *   `llama3`, or the Jinja text of a template
 * @param directories - folders of the networks
 * @returns undefined if the choice is `auto` and no network has a template
 * @throws UsageError if the choice is neither a known name nor Jinja
 */
export async function chooseChatTemplate(
  choice: string,
  directories: readonly string[],
): Promise<string | undefined> {
  if (choice === "auto") return mostCommon(await Promise.all(directories.map(readChatTemplate)));
  const template = Object.hasOwn(NAMED, choice) ? NAMED[choice] : undefined;
  if (template !== undefined) return template;
  if (choice.length >= 20 && choice.includes("{")) return choice;
  const names = ["auto", ...Object.keys(NAMED)];
  const meant = closestName(choice, names);
  throw new UsageError(
    `Cannot use ${excerpt(choice)} as chat template as it must be ${names.join(", ")} or a Jinja text${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
  );
}

/**
 * Reads the chat template of a model directory: `chat_template.jinja`, otherwise the template in
 * `tokenizer_config.json`.
 * @returns undefined if the directory has no template
 */
async function readChatTemplate(directory: string): Promise<string | undefined> {
  const path = join(directory, "chat_template.jinja");
  if (await exists(path)) return (await readTextFile(path, directory)).trim();
  const template = (await readExactJson(join(directory, "tokenizer_config.json")))?.["chat_template"];
  const list = Array.isArray(template) ? template.filter(isRecord) : [];
  const text = list.find(({ name }) => name === "default")?.["template"] ?? template;
  return typeof text === "string" && text.trim() !== "" ? text.trim() : undefined;
}

function mostCommon(templates: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const template of templates) {
    if (template !== undefined) counts.set(template, (counts.get(template) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0];
}
