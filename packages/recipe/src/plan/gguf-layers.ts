import { hasGgufMetadata, InputError, parseJson } from "@isthmus/core";
import { encodeUtf8 } from "@isthmus/platform";

type Metadata = Readonly<Record<string, string>>;

/**
 * Returns the metadata of a result whose layers are stacked: metadata of a GGUF file state the number of
 * layers, which programs need to load the file. Other metadata are unchanged.
 * @param names - names of the tensors of the result
 * @throws InputError if the metadata have a list with an item for each layer, which does not apply to the
 *   stacked layers
 */
export function countGgufLayers(metadata: Metadata, names: Iterable<string>): Metadata {
  const key = `${metadata["general.architecture"]}.block_count`;
  const before = metadata[key];
  const layers = [...names].flatMap((name) => {
    const [, number] = /^blk\.(\d+)\./.exec(name) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
  if (!hasGgufMetadata(metadata) || before === undefined || layers.length === 0) return metadata;
  const count = Math.max(...new Set(layers)) + 1;
  if (String(count) === before) return metadata;
  const listed = Object.entries(metadata).find(
    ([name, text]) =>
      name.startsWith(`${metadata["general.architecture"]}.`) && lengthOf(name, text) === Number(before),
  );
  if (listed === undefined) return { ...metadata, [key]: String(count) };
  throw new InputError(
    `Cannot stack ${count} layers of GGUF files as "${listed[0]}" has a value for each of ${before} layers, which the result has no more: stack the model before it is converted to GGUF`,
    { input: listed[0] },
  );
}

/** Counts the items of a list in JSON; 0 for other values. */
function lengthOf(name: string, text: string): number {
  if (!text.startsWith("[")) return 0;
  const items = parseJson(encodeUtf8(text), { attempt: `read metadata "${name}"` });
  return Array.isArray(items) ? items.length : 0;
}
