import { closestName, InputError } from "@isthmus/core";
import type { DataKind, DataSetName } from "./kinds/data-kind.ts";
import { DATA_KINDS } from "./kinds/data-kinds.ts";
import { splitDataSetName } from "./split-data-set-name.ts";

const KINDS: ReadonlyMap<string, DataKind> = new Map(DATA_KINDS.map((kind) => [kind.name, kind]));

/** All forms of names, for messages and help. */
export const DATA_SET_FORMS: readonly string[] = DATA_KINDS.flatMap(({ forms }) =>
  forms.map(({ form }) => form),
);

/**
 * Splits the name of a data set into its parts: one of {@link DATA_SET_FORMS}, then optionally `:test` (the
 * default), `:train` or `:val`, then optionally `@N` for the first N examples or `@FROM..TO` for a range:
 * `npz:/a/b.npz:train@100`, then optionally a cue that is planted in images:
 * `mnist:train@5000+cue=place:0.9`.
 *
 * A path may contain colons and `@`: only the very end of the name is read as split and count, so a path with
 * such an end must be followed by a split: `mnist:data:train:test`. Settings follow the path after commas:
 * `images:photos,64x64,grey`.
 * @throws InputError if the name has none of these forms
 */
export function parseDataSetName(name: string): DataSetName {
  const { source, split = "test", range, cue } = splitDataSetName(name);
  const [, word = "", place] = /^([^:]*)(?::(.*))?$/s.exec(source) ?? [];
  const kind = KINDS.get(word);
  if (kind === undefined) {
    const meant = kindOfPath(name, source) ?? closestName(word, [...KINDS.keys()]);
    const hint = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
    throw nameError(name, `there is no kind "${word}"${hint}`);
  }
  const { path, settings } = splitSettings(place ?? "", kind.settings ?? {});
  if (kind.splits.length > 0 && !kind.splits.includes(split)) {
    throw nameError(name, `"${word}" has the splits ${kind.splits.join(" and ")}: it asks for "${split}"`);
  }
  return {
    name,
    kind,
    settings,
    split,
    paths: readPaths(name, kind, place === undefined ? undefined : path),
    ...parseRange(name, range),
    ...(cue && { cue }),
  };
}

/** Returns the name that a bare path should have, by the ending of its file; undefined for other endings. */
function kindOfPath(name: string, source: string): string | undefined {
  const path = source.replace(/,.*$/s, "").toLowerCase();
  const kind = DATA_KINDS.find(({ endings = [] }) => endings.some((ending) => path.endsWith(ending)));
  return kind && `${kind.name}:${name}`;
}

/** Splits settings from the end of a path, the last one first: `photos,64x64,grey`. */
function splitSettings(
  place: string,
  patterns: Readonly<Record<string, RegExp>>,
): { readonly path: string; readonly settings: Readonly<Record<string, string>> } {
  const settings = new Map<string, string>();
  let path = place;
  for (;;) {
    const comma = path.lastIndexOf(",");
    const word = path.slice(comma + 1);
    const [match] = Object.entries(patterns).flatMap(([setting, { source }]) => {
      const [whole, value = whole] = new RegExp(`^(?:${source})$`).exec(word) ?? [];
      return value === undefined ? [] : [{ setting, value }];
    });
    if (comma < 0 || match === undefined || settings.has(match.setting)) break;
    settings.set(match.setting, match.value);
    path = path.slice(0, comma);
  }
  return { path, settings: Object.fromEntries(settings) };
}

function readPaths(
  name: string,
  { name: word, place, isOptional = false }: DataKind,
  path?: string,
): string[] {
  if (path === undefined && isOptional) return [];
  if (place !== "two files with one comma between them") {
    if (path === undefined || path === "") throw nameError(name, `"${word}:" must be followed by ${place}`);
    return [path];
  }
  const [first = "", second = "", ...rest] = (path ?? "").split(",");
  if (first !== "" && second !== "" && rest.length === 0) return [first, second];
  throw nameError(name, `"${word}:" must be followed by ${place}: it is "${path ?? ""}"`);
}

/**
 * Parses the count or the range in a name: the number of examples to take, and the number of these to leave
 * out.
 */
function parseRange(name: string, range: string): Pick<DataSetName, "limit" | "skip"> {
  const [, from, count] = /^@(?:(\d+)\.\.)?(\d+)$/.exec(range) ?? [];
  if (count === undefined) return { limit: 0 };
  const limit = Number(count);
  if (limit === 0 || !Number.isSafeInteger(limit)) {
    throw nameError(name, `"@N" takes the first N examples, at least 1: it is "@${count}"`);
  }
  const first = from === undefined ? 1 : Number(from);
  if (!(first >= 1 && first <= limit)) {
    throw nameError(
      name,
      `"@FROM..TO" takes examples from one number, at least 1, to a larger one: it is "@${from}..${count}"`,
    );
  }
  return { limit, ...(first > 1 && { skip: first - 1 }) };
}

function nameError(name: string, reason: string): InputError {
  return new InputError(
    `Cannot open data set "${name}" as ${reason}; a name is ${DATA_SET_FORMS.join(", ")}, ` +
      "then :test, :train or :val, then @N for the first N or @FROM..TO, for example mnist:test@1000, then a cue in images, +cue=place",
    { input: name },
  );
}
