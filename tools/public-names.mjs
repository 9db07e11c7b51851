// Reads which names the entries of all packages export, who imports each, and which types their signatures name.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { codeBlocks, documents, exampleText } from "./code-blocks.mjs";
import { targetsOf } from "./package-entries.mjs";
import { packageNames, readManifest, root, sourceFiles } from "./packages.mjs";

/** Nodes of a declaration whose inside its consumers do not see. */
const HIDDEN = new Set([
  "BlockStatement",
  "FunctionBody",
  "TemplateLiteral",
  "CallExpression",
  "NewExpression",
]);
/** Source of every entry by the specifier that imports it. */
const sources = new Map(packageNames.flatMap(entrySources));
const modules = new Map();

/**
 * Lists the entries of all packages: `{ owner, specifier, path, names }`. `names` maps every exported name to its
 * declaration, `{ path, local }`.
 */
export function listEntries() {
  return [...sources].map(([specifier, path]) => {
    const exported = [...readModule(path).exported];
    const declared = exported.map(([name, at]) => [name, declarationOf(at.path, at.local)]);
    // Names that a package passes on from elsewhere, as those of Node.js, have no declaration here.
    const names = new Map(declared.filter(([, at]) => at !== undefined));
    return { owner: path.split("/")[1], specifier, path, names };
  });
}

/**
 * Lists the exported names that nobody needs: `{ entry, name, at }`. A name is needed if another package, a tool, a
 * benchmark, an example or the package's README says it, or if the signature of a needed one names its type.
 */
export function listUnneeded(entries) {
  const said = saidNames();
  const isSaid = ({ owner, specifier }, name, at) =>
    said.has(idOf(specifier, name)) || namesInReadme(owner).has(name) || hasExample(at);
  const named = namedBy(
    entries.flatMap((entry) =>
      [...entry.names].filter(([name, at]) => isSaid(entry, name, at)).map(([, at]) => at),
    ),
  );
  return entries.flatMap((entry) =>
    [...entry.names]
      .filter(([name, at]) => !isSaid(entry, name, at) && !named.has(idOf(at.path, at.local)))
      .map(([name, at]) => ({ entry, name, at })),
  );
}

/** Lists the names that files of several packages export for different things, with these files. */
export function listEqual() {
  const files = new Map();
  for (const path of packageNames.flatMap((owner) => sourceFiles(owner)))
    for (const [name, { isExported }] of readModule(path).declared)
      if (isExported) files.set(name, [...(files.get(name) ?? []), path]);
  const owners = (paths) => new Set(paths.map((path) => path.split("/")[1]));
  return [...files].filter(([, paths]) => owners(paths).size > 1);
}

/**
 * Reads the declaration of a name: its nodes, one for each overload, the text of its file, and its doc comment, empty if
 * it has none.
 */
export function readDeclaration({ path, local }) {
  const text = read(path);
  const { nodes, start } = readModule(path).declared.get(local);
  return { nodes, text, comment: commentBefore(text, start) };
}

/** Doc comment directly before a place of a text; empty if there is none. */
export function commentBefore(text, place) {
  const before = text.slice(0, place).trimEnd();
  return before.endsWith("*/") ? before.slice(before.lastIndexOf("/**")) : "";
}

function entrySources(owner) {
  const { name, exports } = readManifest(owner);
  return Object.entries(exports)
    .filter(([, targets]) => targets["@isthmus/source"] !== undefined)
    .map(([path, targets]) => [
      posix.join(name, path),
      // A side for browsers has the same names, and stands first.
      posix.join("packages", owner, targetsOf(targets["@isthmus/source"]).at(-1)),
    ]);
}

/** Names that packages import from each other, and that tools, benchmarks and examples import. */
function saidNames() {
  const files = [
    ...packageNames.flatMap((owner) => [
      ...sourceFiles(owner).map((path) => ({ user: owner, path })),
      ...["bin", "bench"].flatMap((folder) =>
        scriptsUnder(posix.join("packages", owner, folder)).map((path) => ({ user: owner, path })),
      ),
    ]),
    ...["examples", "tools"].flatMap((user) => scriptsUnder(user).map((path) => ({ user, path }))),
  ];
  const examples = [
    ...documents.flatMap((path) => codeBlocks(read(path))),
    ...packageNames
      .flatMap((owner) => sourceFiles(owner))
      .flatMap((path) => codeBlocks(exampleText(read(path)))),
  ];
  const imports = [
    ...files.flatMap(({ user, path }) =>
      importsOf(path, read(path)).filter(({ specifier }) => sources.get(specifier)?.split("/")[1] !== user),
    ),
    ...examples.flatMap((text) => importsOf("example.ts", text)),
  ];
  return new Set(imports.map(({ specifier, name }) => idOf(specifier, name)));
}

/** Ids of the types that declarations name, those included that the named types name in their turn. */
function namedBy(declarations) {
  const named = new Set();
  const visited = new Set();
  const waiting = [...declarations];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (visited.has(idOf(at.path, at.local))) continue;
    visited.add(idOf(at.path, at.local));
    for (const { isType, ...next } of signatureOf(at)) {
      if (isType) named.add(idOf(next.path, next.local));
      waiting.push(next);
    }
  }
  return named;
}

/**
 * Declarations that the signature of a declaration names: `{ path, local, isType }`. A value after `typeof` is no type that
 * consumers have to name: they can say the type that is made of it.
 */
function signatureOf({ path, local }) {
  const found = new Map();
  for (const node of readModule(path).declared.get(local).nodes)
    visitVisible(node, (name, isType) => found.set(name, isType || found.get(name) === true));
  return [...found].flatMap(([name, isType]) => {
    const at = declarationOf(path, name);
    return at === undefined ? [] : [{ ...at, isType }];
  });
}

/** Declaration of a name that a file declares, imports from our sources, or passes on. */
export function declarationOf(path, local) {
  const { declared, imported, exported } = readModule(path);
  if (declared.has(local)) return { path, local };
  const at = imported.get(local) ?? exported.get(local);
  return at === undefined ? undefined : declarationOf(at.path, at.local);
}

/** Whether the doc comment of a declaration has an @example. */
function hasExample(at) {
  return readDeclaration(at).comment.includes("@example");
}

/** Names that the README of a package says as code: `name` or `name(…)`. */
function namesInReadme(owner) {
  const spans = read(`packages/${owner}/README.md`).matchAll(/`([A-Za-z]\w*)(?:\([^`]*\))?`/g);
  return new Set([...spans].map(([, name]) => name));
}

/** Declared, imported and exported names of a source; of imports and exports those from our own sources. */
function readModule(path) {
  if (!modules.has(path)) modules.set(path, parseModule(path));
  return modules.get(path);
}

function parseModule(path) {
  const declared = new Map();
  const imported = new Map();
  const exported = new Map();
  const target = (source) =>
    source.startsWith(".") ? posix.join(posix.dirname(path), source) : sources.get(source);
  const declare = (name, node, { start, type }) => {
    const overloads = declared.get(name) ?? {
      nodes: [],
      start,
      isExported: type === "ExportNamedDeclaration",
    };
    declared.set(name, { ...overloads, nodes: [...overloads.nodes, node] });
  };
  for (const statement of parseSync(path, read(path)).program.body) {
    const { type, source, specifiers, declaration } = statement;
    if (type === "ImportDeclaration") {
      const to = target(source.value);
      for (const { imported: name, local } of to === undefined ? [] : specifiers)
        if (name !== undefined) imported.set(local.name, { path: to, local: name.name });
    } else if (type === "ExportNamedDeclaration" && declaration === null) {
      const from = source === null ? path : target(source.value);
      if (from === undefined) continue;
      for (const { local, exported: name } of specifiers)
        exported.set(name.name, { path: from, local: local.name });
    } else {
      const node = declaration ?? statement;
      for (const part of node.declarations ?? [node]) if (part.id) declare(part.id.name, part, statement);
    }
  }
  return { declared, imported, exported };
}

/** Calls back for every type and every value after `typeof` that the part of a declaration that consumers see names. */
function visitVisible(node, found) {
  if (node === null || typeof node !== "object" || HIDDEN.has(node.type) || isPrivate(node)) return;
  if (node.type === "TSTypeReference") found(firstName(node.typeName), true);
  if (node.type === "TSTypeQuery") found(firstName(node.exprName), false);
  if (node.type === "TSInterfaceHeritage" || node.type === "TSClassImplements")
    found(firstName(node.expression), true);
  if (node.superClass?.type === "Identifier") found(node.superClass.name, true);
  for (const child of Object.values(node)) visitVisible(child, found);
}

function isPrivate({ accessibility, key }) {
  return accessibility === "private" || key?.type === "PrivateIdentifier";
}

/** First of the names in `a.b.c`. */
function firstName({ type, left, object, name }) {
  if (type === "TSQualifiedName") return firstName(left);
  return type === "MemberExpression" ? firstName(object) : name;
}

/**
 * Names that a text imports from our packages: `{ specifier, name }`. If it imports a whole package, as a namespace or while
 * it runs, these are all names in the text, as each may be that package's.
 */
function importsOf(path, text) {
  const found = [];
  const whole = new Set();
  const names = new Set();
  const addNamed = ({ source, specifiers }) => {
    if (!sources.has(source?.value)) return;
    for (const { type, imported, local } of specifiers) {
      if (type === "ImportNamespaceSpecifier") whole.add(source.value);
      else found.push({ specifier: source.value, name: (imported ?? local).name });
    }
  };
  const addWhole = ({ source }) => {
    if (sources.has(source.value)) whole.add(source.value);
  };
  new Visitor({
    ImportDeclaration: addNamed,
    ExportNamedDeclaration: addNamed,
    ImportExpression: addWhole,
    TSImportType: addWhole,
    Identifier: ({ name }) => names.add(name),
  }).visit(parseSync(path, text).program);
  for (const specifier of whole) for (const name of names) found.push({ specifier, name });
  return found;
}

function scriptsUnder(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test)\.m?[jt]s$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/\/(?:node_modules|dist)\//.test(path))
    .sort();
}

function idOf(place, name) {
  return `${place}#${name}`;
}

function read(path) {
  return readFileSync(join(root, path), "utf8");
}
