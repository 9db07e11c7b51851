import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isModelFile, MismatchError, parseJson, readFileBytes } from "@isthmus/core";
import type { DiffusersLayout, DiffusersPart, Settings } from "@isthmus/merging";

/** Folders of a pipeline that have settings and no networks. */
const COPIED = /^(tokenizer(_\d)?|scheduler|feature_extractor)$/;
const INDEX = "model_index.json";

/** Most bytes of one file of a tokenizer. */
const MOST_BYTES = 2 ** 26;

/**
 * Lists the files of settings of a model in the layout of diffusers, with their contents, by their paths in
 * its folder; `model_index.json` is the last one.
 * @param base - folder of diffusers of the same architecture, whose settings and tokenizers are taken;
 *   undefined to go by the shapes of tensors
 * @throws MismatchError if shapes contradict the settings of the base
 */
export async function listSettings(
  { parts, settings }: DiffusersLayout,
  base: string | undefined,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const isAlone = settings.size === 0;
  for (const part of parts) {
    const path = isAlone ? "config.json" : `${part.folder}/config.json`;
    files.set(path, await configOf(part, base, isAlone));
  }
  for (const [path, content] of settings) files.set(path, encode(content));
  if (isAlone || base === undefined) return files;
  for (const folder of (await readdir(base)).filter((name) => COPIED.test(name))) {
    for (const name of (await readdir(join(base, folder)).catch(() => [])).filter(isModelFile)) {
      files.set(`${folder}/${name}`, await readFileBytes(join(base, folder, name), MOST_BYTES, base));
    }
  }
  const folders = new Set([...files.keys()].map((path) => path.split("/")[0]));
  const index = await readSettings(join(base, INDEX));
  // Components that are not written, such as a safety checker, are none.
  const entries = Object.entries(index?.settings ?? settings.get(INDEX) ?? {}).map(([name, value]) =>
    Array.isArray(value) && !folders.has(name) ? [name, [null, null]] : [name, value],
  );
  files.delete(INDEX);
  files.set(INDEX, encode(Object.fromEntries(entries)));
  return files;
}

function encode(settings: Settings): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(settings, undefined, 2)}\n`);
}

/** Reads a file of settings, with its bytes; undefined if it is not there. */
async function readSettings(
  path: string,
): Promise<{ readonly settings: Settings; readonly bytes: Uint8Array } | undefined> {
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  const bytes = await readFileBytes(path, MOST_BYTES);
  const value = parseJson(bytes, { attempt: `read "${path}"` });
  return { bytes, settings: typeof value === "object" && value !== null ? (value as Settings) : {} };
}

/** Returns the config of a part: of the base if that has one, after it is compared with the shapes. */
async function configOf(
  { folder, config: { told, assumed } }: DiffusersPart,
  base: string | undefined,
  isAlone: boolean,
): Promise<Uint8Array> {
  const made = encode({ ...told, ...assumed });
  if (base === undefined) return made;
  const paths = [...(isAlone ? [join(base, "config.json")] : []), join(base, folder, "config.json")];
  for (const path of paths) {
    const read = await readSettings(path);
    if (read === undefined) continue;
    const ofBase = read.settings;
    const wrong = Object.keys(told).find((key) => key in ofBase && !isSame(ofBase[key], told[key]));
    // Its own bytes, as some programs tell 1.0 from 1.
    if (wrong === undefined) return read.bytes;
    throw new MismatchError(
      `Cannot take the settings of "${path}" as they must fit the tensors: "${wrong}" is ${JSON.stringify(ofBase[wrong])} there, and the shapes say ${JSON.stringify(told[wrong])}; name another --base`,
      { parameters: [wrong] },
    );
  }
  return made;
}

/** Compares two settings; a list of one number several times is the same as the number. */
function isSame(a: unknown, b: unknown): boolean {
  const short = (value: unknown) =>
    JSON.stringify(Array.isArray(value) && value.every((one) => one === value[0]) ? value[0] : value);
  return short(a) === short(b);
}
