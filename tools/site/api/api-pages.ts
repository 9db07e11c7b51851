// Makes a page for each package: its README, and every name that it exports with its declaration and comments.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageNames, root } from "../../packages.mjs";
import { type Entry, listEntries } from "../../public-names.mjs";
import type { SitePage } from "../site-page.ts";
import { type ApiItem, KINDS, readItem } from "./api-item.ts";
import { formatItem } from "./format-item.ts";

/** What the reference says about a name, with the name of its place on the page. */
interface PlacedItem extends ApiItem {
  /** Name of the place: the name, unless an earlier entry has declared another thing under it. */
  readonly anchor: string;
}

/** An exported name on the page of the package that declares it, and on others by a link alone. */
interface ApiEntry {
  readonly specifier: string;
  readonly items: readonly PlacedItem[];
  /** Names that stand elsewhere: of other packages, and of earlier entries. */
  readonly passedOn: readonly { readonly name: string; readonly owner: string }[];
}

/** Lists the exported names of each package, by its folder. */
export function readApi(): ReadonlyMap<string, readonly ApiEntry[]> {
  const entries = listEntries();
  const byOwner = (owner: string): ApiEntry[] => {
    /** Sources of the names that earlier entries have shown. */
    const shown = new Map<string, string>();
    return entries.filter((entry) => entry.owner === owner).map((entry) => readEntry(entry, shown));
  };
  return new Map(packageNames.map((owner) => [owner, byOwner(owner)]));
}

/** Reads one entry; a name that an earlier one of the package has shown from the same source is not shown again. */
function readEntry({ owner, specifier, names }: Entry, shown: Map<string, string>): ApiEntry {
  const all = [...names].map(([name, at]) => ({ name, at, owner: ownerOf(at.path) }));
  const isOwn = ({ name, at, owner: declaring }: (typeof all)[number]): boolean =>
    declaring === owner && shown.get(name) !== at.path;
  const own = all.filter(isOwn).map(({ name, at }) => {
    const anchor = shown.has(name) ? `${specifier.split("/").at(-1)}-${name}` : name;
    return { ...readItem(name, at), anchor };
  });
  const passedOn = all.filter((item) => !isOwn(item));
  for (const { name, path } of own) if (!shown.has(name)) shown.set(name, path);
  return { specifier, items: own, passedOn };
}

function ownerOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** Path of the page of a package. */
export function apiPage(owner: string): string {
  return `reference/api/${owner}`;
}

/** Makes the page of every package. */
export function makeApiPages(): SitePage[] {
  const api = readApi();
  /** Folder of the package on whose page a name stands; the first if several export it. */
  const places = new Map<string, string>();
  for (const [owner, entries] of api)
    for (const { name } of entries.flatMap(({ items }) => items))
      if (!places.has(name)) places.set(name, owner);
  return [...api].map(([owner, entries]) => {
    const readme = readFileSync(join(root, "packages", owner, "README.md"), "utf8").trim();
    const own = new Set(entries.flatMap(({ items }) => items.map(({ name }) => name)));
    const link = (name: string): string => {
      const [first = ""] = name.split(/[.#]/);
      const place = own.has(first) ? owner : places.get(first);
      if (place === undefined) return `\`${name}\``;
      return `[\`${name}\`](${place === owner ? "" : `../${place}/README.md`}#${first})`;
    };
    const sections = entries.flatMap((entry) => formatEntry(entry, link, entries.length > 1));
    return {
      page: apiPage(owner),
      folder: `packages/${owner}`,
      source: `packages/${owner}/README.md`,
      text: [readme, ...sections].join("\n\n"),
      isGenerated: true,
    };
  });
}

function formatEntry(
  { specifier, items, passedOn }: ApiEntry,
  link: (name: string) => string,
  isOneOfSeveral: boolean,
): string[] {
  const place = isOneOfSeveral ? ` of ${specifier}` : "";
  const kinds = KINDS.flatMap((kind) => {
    const listed = items.filter((item) => item.kind === kind).sort((a, b) => (a.name < b.name ? -1 : 1));
    return listed.length === 0 ? [] : [`## ${kind}${place}`, ...listed.map((item) => formatItem(item, link))];
  });
  if (passedOn.length === 0) return kinds;
  const names = passedOn.map(({ name, owner }) => `[\`${name}\`](../${owner}/README.md#${name})`);
  return [...kinds, `## Exported by ${specifier}, declared elsewhere`, names.join(", ")];
}
