// Paths of a page's virtual folder, by the rules of Node.js on POSIX systems; the working folder is "/".

/** Text between the names of a path. */
export const sep: "/" | "\\" = "/";

/** Checks whether a path begins at the root. */
export function isAbsolute(path: string): boolean {
  return path.startsWith(sep);
}

/** Joins paths, and removes `.`, `..` and doubled slashes as far as possible. */
export function join(...paths: string[]): string {
  return normalize(paths.filter((path) => path !== "").join(sep));
}

/** Returns the absolute path to which paths lead, each seen from the one before. */
export function resolve(...paths: string[]): string {
  const begin = paths.findLastIndex(isAbsolute);
  const path = normalize(`/${paths.slice(Math.max(begin, 0)).join(sep)}`);
  return path.length > 1 && path.endsWith(sep) ? path.slice(0, -1) : path;
}

/** Returns a path without its last name. */
export function dirname(path: string): string {
  const names = /^(.*[^/])?\/+[^/]+\/*$/.exec(path)?.[1];
  return names ?? (isAbsolute(path) ? sep : ".");
}

/** Returns the last name of a path, without an ending unless it is the whole name. */
export function basename(path: string, ending = ""): string {
  const name = /([^/]*)\/*$/.exec(path)?.[1] ?? "";
  return name.endsWith(ending) && name !== ending ? name.slice(0, name.length - ending.length) : name;
}

/** Returns the last name of a path from its last dot on; empty if it has none, or only at its beginning. */
export function extname(path: string): string {
  const name = basename(path);
  const begin = name.lastIndexOf(".");
  return begin > 0 && name !== ".." ? name.slice(begin) : "";
}

/** Returns the path by which `to` is reached from `from`. */
export function relative(from: string, to: string): string {
  const [here, there] = [from, to].map((path) => namesOf(resolve(path)));
  if (here === undefined || there === undefined) return "";
  const differing = here.findIndex((name, i) => name !== there[i]);
  const shared = differing < 0 ? here.length : differing;
  return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join(sep);
}

/** Lists the names of a normalized path. */
export function namesOf(path: string): string[] {
  return path.split(sep).filter((name) => name !== "");
}

function normalize(path: string): string {
  const names: string[] = [];
  for (const name of namesOf(path)) {
    if (name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.length > 0 && names.at(-1) !== "..") names.pop();
    else if (!isAbsolute(path)) names.push(name);
  }
  const end = path.endsWith(sep) ? sep : "";
  if (names.length === 0) return isAbsolute(path) ? sep : `.${end}`;
  return `${isAbsolute(path) ? sep : ""}${names.join(sep)}${end}`;
}
