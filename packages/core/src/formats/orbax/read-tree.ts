import { join } from "@isthmus/platform";
import { readJsonFile } from "../../io/read-file.ts";
import { excerpt } from "../../json/excerpt.ts";
import { formatErrors } from "../format-errors.ts";
import { ORBAX_TREE } from "../run-file-names.ts";

export const orbaxError: ReturnType<typeof formatErrors> = formatErrors("orbax");

/** Description of a tree of values that Orbax stored. */
export interface OrbaxTree {
  /** Keys on the path to each array, outermost first. */
  readonly paths: readonly (readonly string[])[];
  /** Whether chunks of zeros are stored, too, so that a chunk that is not stored was lost. */
  readonly isComplete: boolean;
}

/** Types of values that are no arrays: texts, and places that hold nothing. */
const NO_ARRAYS: readonly unknown[] = ["string", "None", "Dict", "List", "Tuple", "NamedTuple"];

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Reads the file in which Orbax describes a tree.
 * @throws FormatError if it is damaged
 */
export async function readTree(folder: string): Promise<OrbaxTree> {
  const path = join(folder, ORBAX_TREE);
  const document = await readJsonFile(path, { format: "orbax", within: folder });
  const values = isFields(document) ? document["tree_metadata"] : undefined;
  if (!isFields(document) || !isFields(values))
    throw orbaxError(path, "it must describe a tree of values: it does not");
  const paths: (readonly string[])[] = [];
  for (const [name, value] of Object.entries(values)) {
    const about = isFields(value) ? value["value_metadata"] : undefined;
    const keys = isFields(value) ? keysOf(value["key_metadata"]) : undefined;
    if (!isFields(about) || keys === undefined)
      throw orbaxError(path, `${excerpt(name)} must have keys and a type: it has not`);
    if (about["skip_deserialize"] !== true && !NO_ARRAYS.includes(about["value_type"])) paths.push(keys);
  }
  return { paths, isComplete: document["store_array_data_equal_to_fill_value"] === true };
}

/** Returns the keys of a path, none of which may lead out of the folder. */
function keysOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const keys = value.map((key: unknown) => (isFields(key) ? key["key"] : undefined));
  const isPlain = (key: unknown): key is string => typeof key === "string" && !/[/\\\0]/.test(key);
  return keys.every(isPlain) && !/^\.*$/.test(keys.join(".")) ? keys : undefined;
}
