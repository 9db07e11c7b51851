import { type Checkpoint, hasGgufMetadata, setEntries } from "@isthmus/core";
import { basename, extname } from "@isthmus/platform";

type Metadata = Readonly<Record<string, string>>;

/** Keys of metadata that hold for one network alone, and not for a merge of it. */
const OF_ONE: readonly string[] =
  "general.author general.version general.finetune general.description general.quantized_by general.url general.doi general.uuid general.repo_url general.organization".split(
    " ",
  );

/** Fields of a network that its entry among the bases of a merge has, too. */
const KEPT: readonly string[] = ["author", "version", "organization", "url", "doi", "uuid", "repo_url"];

/** Most names of networks in the name of their merge. */
const MOST_NAMES = 4;

/**
 * Returns the metadata of a merge of GGUF files: architecture, tokenizer and chat template are kept; the name
 * lists all networks, and the networks become its bases, `general.base_model` in the specification of GGUF.
 * Other metadata are unchanged.
 * @param networks - networks that are merged, also networks of other formats
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function describeGgufOrigin(metadata: Metadata, networks: readonly Checkpoint[]): Metadata {
  if (!hasGgufMetadata(metadata)) return metadata;
  const names = networks.map(nameOf);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const texts = new Map<string, string | undefined>(OF_ONE.map((key) => [key, undefined]));
  const earlier = /^general\.(base_model|source)\./;
  for (const key of Object.keys(metadata)) if (earlier.test(key)) texts.set(key, undefined);
  texts.set("general.name", `${names.slice(0, MOST_NAMES).join(" + ")}${more}`);
  networks.forEach((network, i) => {
    texts.set(`general.base_model.${i}.name`, names[i]);
    for (const field of KEPT) {
      const text = network.metadata[`general.${field}`];
      if (text !== undefined) texts.set(`general.base_model.${i}.${field}`, text);
    }
  });
  const named = setEntries(metadata, "string", Object.fromEntries(texts));
  return setEntries(named, "u32", { "general.base_model.count": String(networks.length) });
}

/** Returns the name of a network: that in its metadata, or that of its file. */
function nameOf({ metadata, source }: Checkpoint): string {
  return metadata["general.name"] ?? basename(source, extname(source));
}
