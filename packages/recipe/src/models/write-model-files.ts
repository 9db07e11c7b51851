import {
  createFolder,
  type DType,
  InputError,
  isReadAsNumbers,
  readFileBytes,
  saveFile,
} from "@isthmus/core";
import { basename, dirname, join, stat } from "@isthmus/platform";
import { chooseChatTemplate } from "./chat-template.ts";
import { formatExactJson, readExactJson } from "./exact-json.ts";
import { listModelFiles, TOKENIZER_FILES } from "./list-model-files.ts";
import { mergedDocument, mergedSettings } from "./merge-tokenizer.ts";
import { type CardNetwork, formatModelCard } from "./model-card.ts";
import { type ConfigLayers, changeConfig, type ModelConfig } from "./model-config.ts";
import { isRecord } from "./model-parts.ts";
import { takeTokenIds } from "./take-token-ids.ts";
import type { VocabularyPlan } from "./vocabulary-plan.ts";

/** A network of the merge, with the folder of its files. */
export interface MergedNetwork extends CardNetwork {
  /** Path of the folder with the config and the tokenizer of the network. */
  readonly directory: string;
}

/** Options of {@link writeModelFiles}. */
export interface WriteModelFilesOptions {
  /** Directory whose files are copied, unless another option names a source. */
  readonly base: string;
  /** All networks, for `auto` chat templates and the table of the model card. */
  readonly networks: readonly MergedNetwork[];
  /** The recipe as text; it becomes `recipe.yml` and part of the card. @defaultValue none */
  readonly recipe?: string | undefined;
  /** Name of the merge method, for the card. @defaultValue none */
  readonly method?: string | undefined;
  /** Element type of the weights. @defaultValue the type in the config of the base */
  readonly dtype?: DType | undefined;
  /** Vocabulary of the result. @defaultValue the vocabulary of the base */
  readonly vocabulary?: VocabularyPlan | undefined;
  /**
   * Layers of the result, each by the layer of the base whose settings it takes. @defaultValue all layers of
   * the base
   */
  readonly layers?: ConfigLayers | undefined;
  /** Whether the output head is the embedding. @defaultValue the setting in the config of the base */
  readonly tied?: boolean | undefined;
  /**
   * Chat template: `auto`, a name such as `chatml`, or a Jinja text. @defaultValue the template of the
   * tokenizer
   */
  readonly chatTemplate?: string | undefined;
  /**
   * Directory whose configs give the ids of special tokens, such as `eos_token_id`. @defaultValue the ids of
   * the base, renumbered to the vocabulary of the result
   */
  readonly specialTokensOf?: string | undefined;
  /**
   * Returns the config of the result from that of the base, with the changes of the other options, for a
   * result of another architecture. @defaultValue the config of the base
   */
  readonly reshapeConfig?: ((config: ModelConfig) => ModelConfig) | undefined;
  /** Whether to write a model card. @defaultValue true */
  readonly card?: boolean;
}

/** Files that were written, and notes for the user. */
export interface WriteModelFilesResult {
  /** Paths of the files within the directory. */
  readonly files: readonly string[];
  /** Notes on files that were left out and settings that could not be translated, in one line each. */
  readonly notes: readonly string[];
}

/**
 * Writes the files that make a directory of merged weights a model that loads: `config.json`, tokenizer, chat
 * template, generation settings, code (copied, never run), licences, the recipe and a model card.
 *
 * A tokenizer that does not change is copied byte for byte. A changed tokenizer is written as
 * `tokenizer.json` alone, without the older files of SentencePiece or BPE, which would lack the new tokens.
 *
 * @param out - directory of the result, which is created if it is missing
 * @throws InputError if the directory of the result is the directory of one of the networks
 * @throws UsageError if the chat template is neither a known name nor Jinja
 * @throws FormatError if the config of the base does not count its layers, or the base lacks one of the named
 *   layers
 */
export async function writeModelFiles(
  out: string,
  options: WriteModelFilesOptions,
): Promise<WriteModelFilesResult> {
  const { base, networks, vocabulary, recipe } = options;
  const directories = networks.map(({ directory }) => directory);
  await assertOtherDirectory(out, [base, ...directories]);
  const contents = new Map<string, Content>();
  const notes = [...(vocabulary?.notes ?? [])];
  const donor = vocabulary?.tokenizer.directory ?? base;
  for (const directory of new Set([base, donor])) {
    const { files, outside } = await listModelFiles(directory);
    const isTaken = (file: string) => directory === (TOKENIZER_FILES.has(file) ? donor : base);
    for (const file of files.filter(isTaken))
      contents.set(file, { copyOf: join(directory, file), directory });
    for (const file of outside.filter(isTaken))
      notes.push(`"${file}" is left out: in "${directory}" it is a link that leads out of that folder`);
  }
  await setConfigs(contents, options, notes);
  if (vocabulary?.tokenizer.changed === true) setTokenizer(contents, vocabulary);
  await setChatTemplate(contents, options);
  if (recipe !== undefined) contents.set("recipe.yml", { text: recipe });
  if (options.card ?? true) {
    const card = { ...options, name: basename(out), library: libraryOf(contents), notes };
    contents.set("README.md", { text: formatModelCard(card) });
  }
  for (const [file, content] of contents) await save(join(out, file), content);
  return { files: [...contents.keys()].sort(), notes };
}

/** Returns the library that loads the result; undefined for transformers. */
function libraryOf(contents: Contents): string | undefined {
  if (contents.has("modules.json")) return "sentence-transformers";
  const config = contents.get("config.json");
  return config !== undefined && "json" in config && "_class_name" in config.json ? "diffusers" : undefined;
}

/** Content of a file of the result. */
type Content =
  | { readonly copyOf: string; readonly directory: string }
  | { readonly json: ModelConfig }
  | { readonly text: string };
type Contents = Map<string, Content>;

async function setConfigs(
  contents: Contents,
  options: WriteModelFilesOptions,
  notes: string[],
): Promise<void> {
  const { base, dtype, vocabulary, layers, tied, specialTokensOf, reshapeConfig } = options;
  const config = await readExactJson(join(base, "config.json"));
  const generation = contents.has("generation_config.json")
    ? await readExactJson(join(base, "generation_config.json"))
    : undefined;
  const take = async (values: ModelConfig, name: string): Promise<ModelConfig> => {
    if (specialTokensOf === undefined) return values;
    const donor = (await readExactJson(join(specialTokensOf, name))) ?? {};
    return takeTokenIds(values, name === "config.json" ? donor : { ...(await donorConfig()), ...donor });
  };
  const donorConfig = async () => readExactJson(join(specialTokensOf ?? base, "config.json"));
  if (config === undefined) notes.push(`"${base}" has no config.json: the result has none`);
  else {
    const changed = changeConfig(config, { dtype, layers, tied, vocabularySize: vocabulary?.size });
    // AutoGPTQ keeps a copy of these settings in a file of its own.
    if (isReadAsNumbers(config["quantization_config"])) contents.delete("quantize_config.json");
    const renumbered = vocabulary && renumberTokenIds(changed.config, vocabulary);
    // The donor's ids stand in place of the ids that are left out.
    const left = specialTokensOf === undefined ? (renumbered?.notes ?? []) : [];
    notes.push(...changed.notes, ...left);
    const unshaped = renumbered?.config ?? changed.config;
    const written = reshapeConfig?.(unshaped) ?? unshaped;
    contents.set("config.json", { json: await take(written, "config.json") });
  }
  if (generation === undefined || vocabulary === undefined) return;
  const renumbered = renumberTokenIds(generation, vocabulary).config;
  contents.set("generation_config.json", { json: await take(renumbered, "generation_config.json") });
}

/**
 * Renumbers the ids of special tokens in a `config.json` or `generation_config.json` of the base to the ids
 * of the result. A token that the result lacks is left out. Differs from mergekit, which keeps the ids of the
 * base.
 * @returns the config, and a line for each key that is left out
 */
function renumberTokenIds(
  config: ModelConfig,
  plan: VocabularyPlan,
): { readonly config: ModelConfig; readonly notes: readonly string[] } {
  const network = plan.networks[plan.base ?? 0];
  if (network === undefined) return { config, notes: [] };
  const tokens = new Map([...network.ids].map(([token, id]) => [id, token]));
  const notes: string[] = [];
  const renumber = (id: unknown): unknown => {
    const token = typeof id === "number" ? tokens.get(id) : undefined;
    // Ids without a token, such as -1 or the id of a padding row, have no counterpart in the result.
    return token === undefined ? id : plan.tokenizer.ids.get(token);
  };
  const renumberValue = (key: string, value: unknown): unknown => {
    if (isRecord(value)) return renumberAll(value);
    if (!/_token_(id|index)$/.test(key)) return value;
    if (Array.isArray(value)) return value.map(renumber).filter((id) => id !== undefined);
    const id = renumber(value);
    if (id === undefined) notes.push(`${key} is left out as the result has no such token`);
    return id;
  };
  // Undefined values are not written as JSON.
  const renumberAll = (part: ModelConfig): ModelConfig =>
    Object.fromEntries(Object.entries(part).map(([key, value]) => [key, renumberValue(key, value)]));
  return { config: renumberAll(config), notes };
}

function setTokenizer(contents: Contents, { tokenizer }: VocabularyPlan): void {
  const document = mergedDocument(tokenizer);
  if (document !== undefined) {
    for (const file of TOKENIZER_FILES) {
      if (/^(tokenizer\.model|spiece|sentencepiece|vocab|merges|added_tokens)/.test(file))
        contents.delete(file);
    }
    contents.set("tokenizer.json", { json: document });
  } else {
    const added = Object.fromEntries(tokenizer.added.map(({ content, id }) => [content, id]));
    contents.set("added_tokens.json", { json: added });
  }
  contents.set("tokenizer_config.json", { json: mergedSettings(tokenizer) });
}

async function setChatTemplate(contents: Contents, options: WriteModelFilesOptions): Promise<void> {
  const { base, networks, vocabulary, chatTemplate } = options;
  if (chatTemplate === undefined) return;
  const directories = networks.map(({ directory }) => directory);
  const text = await chooseChatTemplate(chatTemplate, directories);
  if (text === undefined) return;
  contents.set("chat_template.jinja", { text });
  const donor = vocabulary?.tokenizer;
  const settings =
    donor === undefined ? await readExactJson(join(base, "tokenizer_config.json")) : mergedSettings(donor);
  if (settings?.["chat_template"] === undefined) return;
  const { chat_template: _, ...others } = settings;
  contents.set("tokenizer_config.json", { json: others });
}

/** Largest file that is copied, in bytes; tokenizers have some tens of megabytes. */
const MAX_COPY_BYTES = 2 ** 28;

async function save(path: string, content: Content): Promise<void> {
  await createFolder(dirname(path));
  if ("copyOf" in content) {
    const { copyOf, directory } = content;
    await saveFile(path, await readFileBytes(copyOf, MAX_COPY_BYTES, directory), [copyOf]);
  } else {
    await saveFile(path, "json" in content ? formatExactJson(content.json) : content.text);
  }
}

async function assertOtherDirectory(out: string, inputs: readonly string[]): Promise<void> {
  const identityOf = async (path: string) => {
    const stats = await stat(path).catch(() => undefined);
    return stats && `${stats.dev}:${stats.ino}`;
  };
  const identity = await identityOf(out);
  for (const input of inputs) {
    if (identity === undefined || identity !== (await identityOf(input))) continue;
    throw new InputError(
      `Cannot write files to "${out}" as it must not be the directory of a network that is merged: it is "${input}"; choose another`,
      { input: out },
    );
  }
}
