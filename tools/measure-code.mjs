// Measures the shape of the code: sizes of files and functions, documentation, errors, fallbacks, circles, importers.
//
//   node tools/measure-code.mjs [--json] [folder]
//
// Standard output: a table, or one JSON object. The folder is the root of a checkout, by default this one, so that two can be compared.
// Sources are `packages/*/src/**/*.ts` without tests; kernels are files in folders of that name.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { root } from "./packages.mjs";

const [folder = root] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const all = list("packages").filter((path) => /^packages\/[^/]+\/(?:src|test)\/.*\.ts$/.test(path));
const files = all.filter((path) => path.includes("/src/") && !path.endsWith(".test.ts"));
const tests = [
  ...all.filter((path) => path.endsWith(".test.ts") || path.includes("/test/")),
  ...list("test").filter((path) => path.endsWith(".ts")),
];
const texts = new Map([...files, ...tests].map((path) => [path, readFileSync(join(folder, path), "utf8")]));
const lines = (path) => texts.get(path).split("\n").length - 1;
const code = (path) =>
  texts.get(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (text) => text.replace(/[^\n]/g, " "));
const isKernel = (path) => path.includes("/kernels/");
const sizes = sorted(files.map(lines));
const functions = files.flatMap(functionLines);
const importers = listImporters();
const singles = [...importers.keys()].filter((path) => importers.get(path).length === 1);
const exported = files.flatMap(exportsOf);
const functionsExported = exported.filter(({ kind }) => kind === "function");
const comments = files.flatMap((path) =>
  texts
    .get(path)
    .split("\n")
    .filter((line) => /^\s*(?:\/\/|\/\*\*|\*)/.test(line)),
);

const measured = {
  files: files.length,
  lines: sum(sizes),
  "lines a file: median / p90 / max": `${quantile(sizes, 0.5)} / ${quantile(sizes, 0.9)} / ${sizes.at(-1)}`,
  "files of at most 20 lines": sizes.filter((size) => size <= 20).length,
  "files with one importer": singles.length,
  "of them kernels, or in a family that one table lists": singles.filter(isListed).length,
  "import circles, types counted": circles(),
  "function lines: median / p90 / p99": [0.5, 0.9, 0.99]
    .map((share) => quantile(functions, share))
    .join(" / "),
  "functions over 40 lines": `${functions.filter((size) => size > 40).length} of ${functions.length}`,
  "exports with a doc comment": `${exported.filter(({ comment }) => comment !== undefined).length} of ${exported.length}`,
  "exported functions whose doc starts with a verb": share(
    functionsExported.filter(({ comment = "" }) => /^\W*[A-Z]\w*s\b/.test(comment)).length,
    functionsExported.length,
  ),
  "throws that carry a value": throwsWithValue(),
  "comment lines over 110 characters": comments.filter((line) => line.length > 110).length,
  "`any` / `!` outside kernels / ts-ignore": [
    count(files, /:\s*any\b|<any\b|\bas any\b/g),
    count(
      files.filter((path) => !isKernel(path)),
      /[\w)\]]!(?=[.;,)\]\s[])(?!=)/g,
    ),
    files.filter((path) => /@ts-(?:ignore|expect-error)/.test(texts.get(path))).length,
  ].join(" / "),
  "`as unknown as`": count(files, /\bas unknown as\b/g),
  'fallbacks `?? 0`, `?? -1`, `?? ""`, `?? []`, `?? new X()`': count(
    files,
    /\?\? (?:-?\d+\b|""|\[\]|new \w+)/g,
  ),
  "of them after an element access": count(files, /\[[^\]\n]+\] \?\? (?:-?\d+\b|""|\[\]|new \w+)/g),
  "@example": count(files, /@example/g, texts),
  "test lines / source lines": (sum(tests.map(lines)) / sum(sizes)).toFixed(2),
  packages: new Set(files.map((path) => path.split("/")[1])).size,
  "public names": publicNames(),
};
if (process.argv.includes("--json")) console.log(JSON.stringify(measured, null, 2));
else for (const [name, value] of Object.entries(measured)) console.log(`${name.padEnd(62)}${value}`);

function list(path) {
  return readdirSync(join(folder, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/node_modules|\/dist\/|\/examples\//.test(`${entry.parentPath}/`))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Lines of every function, methods and arrows included. */
function functionLines(path) {
  const text = texts.get(path);
  const found = [];
  const add = ({ start, end, body }) => {
    if (body) found.push(text.slice(start, end).split("\n").length);
  };
  new Visitor({ FunctionDeclaration: add, FunctionExpression: add, ArrowFunctionExpression: add }).visit(
    parseSync(path, text).program,
  );
  return found;
}

/** Exported declarations with their doc comments. */
function exportsOf(path) {
  const pattern =
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\n)?^export (?:declare )?(?:async )?(function\*?|interface|type|const|class|abstract class) (\w+)/gm;
  if (/\/index\.ts$/.test(path)) return [];
  return [...texts.get(path).matchAll(pattern)].map(([, comment, kind, name]) => ({
    comment,
    kind: kind.replace("*", ""),
    name,
  }));
}

/** Importers of every file; an index is neither an importer nor counted. */
function listImporters() {
  const counted = new Map(files.filter((path) => !/\/index\.ts$/.test(path)).map((path) => [path, []]));
  for (const path of counted.keys()) {
    for (const target of new Set(importsOf(path))) counted.get(target)?.push(path);
  }
  return counted;
}

/** Whether a file with one importer is a kernel, or one of a family that a table, its importer, lists. */
function isListed(path) {
  const [importer] = importers.get(path);
  const isSibling = (other) =>
    posix.dirname(other) === posix.dirname(path) && importers.get(other)[0] === importer;
  const isTable = /\/(?:table|families|methods|model-families|describe-result)\.ts$/.test(importer);
  return isKernel(path) || (isTable && singles.filter(isSibling).length > 1);
}

function importsOf(path) {
  return [...code(path).matchAll(/\bfrom\s+"(\.[^"]+)"/g)].map(([, to]) =>
    posix.join(posix.dirname(path), to),
  );
}

/** Groups of files that import each other (Tarjan 1972). */
function circles() {
  const entered = new Map();
  const lowest = new Map();
  const trail = [];
  let found = 0;
  const visit = (path) => {
    entered.set(path, entered.size);
    lowest.set(path, entered.get(path));
    trail.push(path);
    for (const next of importsOf(path).filter((target) => texts.has(target))) {
      if (!entered.has(next)) visit(next);
      if (trail.includes(next)) lowest.set(path, Math.min(lowest.get(path), lowest.get(next)));
    }
    if (lowest.get(path) === entered.get(path) && trail.splice(trail.indexOf(path)).length > 1) found++;
  };
  for (const path of files) if (!entered.has(path)) visit(path);
  return found;
}

function throwsWithValue() {
  const thrown = files.flatMap((path) => [
    ...code(path).matchAll(/\bnew \w*Error\(\s*(`(?:[^`\\]|\\.)*`|"[^"]*")/g),
  ]);
  return share(thrown.filter(([, message]) => message.includes("${")).length, thrown.length);
}

function publicNames() {
  const entries = files.filter((path) => /^packages\/[^/]+\/src\/(?:\w+\/)?(?:index|layout)\.ts$/.test(path));
  return sum(
    entries.map((path) => {
      const lists = [...code(path).matchAll(/export (?:type )?\{([^}]*)\}/g)];
      return sum(lists.map(([, names]) => names.split(",").filter((name) => name.trim() !== "").length));
    }),
  );
}

function count(paths, pattern, source) {
  return sum(paths.map((path) => [...(source?.get(path) ?? code(path)).matchAll(pattern)].length));
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function sorted(numbers) {
  return [...numbers].sort((a, b) => a - b);
}

function quantile(numbers, part) {
  return sorted(numbers)[Math.floor(part * (numbers.length - 1))];
}

function share(part, whole) {
  return `${part} of ${whole} = ${((100 * part) / whole).toFixed(1)} %`;
}
