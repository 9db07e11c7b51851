// Reads the messages of errors from the sources: what a message says in every case, with names in place of values.
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { ERROR_CLASSES } from "@isthmus/core";
import { type Argument, type Node, type Program, parseSync, Visitor } from "oxc-parser";
import { packageNames, root, sourceFiles } from "../packages.mjs";

/** Classes of the errors that Isthmus throws. */
const CLASSES: ReadonlySet<string> = new Set([
  ...Object.keys(ERROR_CLASSES),
  "UsageError",
  "OutOfRangeError",
]);

/** One message of an error, as the source has it. */
export interface ErrorMessage {
  /** Folder of the package that throws it. */
  readonly owner: string;
  /** Name of the error's class. */
  readonly type: string;
  /** Words of the message, with the names of values between ‹ and ›. */
  readonly words: string;
  /** Path of the source. */
  readonly path: string;
}

/** Texts of constants by the names that a source knows them by. */
type Texts = ReadonlyMap<string, Node>;

/** Lists the messages of all packages, by package and in the order of their words. */
export function listErrorMessages(): ErrorMessage[] {
  return packageNames.flatMap((owner) => {
    const found = sourceFiles(owner).flatMap((path) => readMessages(owner, path));
    const byWords = new Map(found.map((message) => [`${message.type} ${message.words}`, message]));
    return [...byWords.values()].sort((a, b) => (a.words < b.words ? -1 : 1));
  });
}

function readMessages(owner: string, path: string): ErrorMessage[] {
  const text = readFileSync(join(root, path), "utf8");
  if (![...CLASSES].some((name) => text.includes(`new ${name}(`))) return [];
  const { program } = parseSync(path, text);
  const texts = constantsOf(path, program);
  const found: ErrorMessage[] = [];
  new Visitor({
    NewExpression: ({ callee, arguments: [message] }) => {
      if (callee.type !== "Identifier" || !CLASSES.has(callee.name) || message === undefined) return;
      for (const variant of variantsOf(message)) {
        const words = wordsOf(variant, texts);
        // What is passed on, such as the message of another error, has its words elsewhere.
        if (/\p{L}{3}/u.test(words.replace(/‹[^›]*›/g, "")))
          found.push({ owner, type: callee.name, words, path });
      }
    },
  }).visit(program);
  return found;
}

const programs = new Map<string, Program>();

/** The messages among which an expression chooses. */
function variantsOf(node: Argument): Node[] {
  return node.type === "ConditionalExpression" ? [node.consequent, node.alternate] : [node];
}

/** Texts of the constants that a source declares or imports from beside it. */
function constantsOf(path: string, program: Program): Texts {
  const texts = new Map(declaredTexts(program));
  for (const statement of program.body) {
    if (statement.type !== "ImportDeclaration" || !statement.source.value.startsWith(".")) continue;
    const others = declaredTexts(programOf(posix.join(posix.dirname(path), statement.source.value)));
    for (const specifier of statement.specifiers) {
      if (specifier.type !== "ImportSpecifier" || specifier.imported.type !== "Identifier") continue;
      const value = others.get(specifier.imported.name);
      if (value !== undefined) texts.set(specifier.local.name, value);
    }
  }
  return texts;
}

function programOf(path: string): Program {
  const program = programs.get(path) ?? parseSync(path, readFileSync(join(root, path), "utf8")).program;
  programs.set(path, program);
  return program;
}

/** Texts of constants by name, if the file declares one of the name only. */
function declaredTexts(program: Program): Texts {
  const declared = new Map<string, Node[]>();
  const add = (name: string, value: Node): void => {
    declared.set(name, [...(declared.get(name) ?? []), value]);
  };
  const addParameters = ({ params }: { readonly params: readonly Node[] }): void => {
    for (const parameter of params)
      for (const identifier of namesIn(parameter)) add(identifier.name, identifier);
  };
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      for (const identifier of namesIn(id)) add(identifier.name, init ?? identifier);
    },
    FunctionDeclaration: addParameters,
    FunctionExpression: addParameters,
    ArrowFunctionExpression: addParameters,
  }).visit(program);
  return new Map(
    [...declared].flatMap(([name, [value, ...others]]) =>
      value !== undefined && others.length === 0 && isText(value) ? [[name, value] as const] : [],
    ),
  );
}

/** Names that a pattern declares. */
function namesIn(pattern: Node): Extract<Node, { type: "Identifier" }>[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) =>
        namesIn(property.type === "Property" ? property.value : property.argument),
      );
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => (element === null ? [] : namesIn(element)));
    case "AssignmentPattern":
      return namesIn(pattern.left);
    case "RestElement":
      return namesIn(pattern.argument);
    default:
      return [];
  }
}

function isText({ type, ...node }: Node): boolean {
  return (
    type === "TemplateLiteral" || (type === "Literal" && "value" in node && typeof node.value === "string")
  );
}

/** Words of the message that an expression makes. */
function wordsOf(node: Node | Argument, texts: Texts): string {
  switch (node.type) {
    case "Literal":
      return String(node.value);
    case "TemplateLiteral":
      return node.quasis
        .map(({ value }, i) => {
          const expression = node.expressions[i];
          return `${value.cooked ?? ""}${expression === undefined ? "" : wordsOf(expression, texts)}`;
        })
        .join("");
    case "BinaryExpression":
      return node.operator === "+" ? `${wordsOf(node.left, texts)}${wordsOf(node.right, texts)}` : `‹number›`;
    case "ParenthesizedExpression":
    case "TSAsExpression":
      return wordsOf(node.expression, texts);
    case "ConditionalExpression":
      return choiceOf(wordsOf(node.consequent, texts), wordsOf(node.alternate, texts));
    case "Identifier": {
      const value = texts.get(node.name);
      return value === undefined ? `‹${spell(node.name)}›` : wordsOf(value, texts);
    }
    default:
      return `‹${spell(nameOf(node))}›`;
  }
}

/** Words of which a message has one or the other. */
function choiceOf(one: string, other: string): string {
  if (one === "" || other === "") return `[${one}${other}]`;
  return `[${one} | ${other}]`;
}

/** Name of what an expression computes: of the thing that it is made of, or of the function that makes it. */
function nameOf(node: Node): string {
  switch (node.type) {
    case "Identifier":
      return node.name;
    case "MemberExpression":
      return !node.computed && node.property.type === "Identifier" ? node.property.name : nameOf(node.object);
    case "CallExpression":
      return nameOfCall(node);
    case "ParenthesizedExpression":
    case "TSAsExpression":
    case "AwaitExpression":
      return "expression" in node ? nameOf(node.expression) : nameOf(node.argument);
    case "LogicalExpression":
      return nameOf(node.left);
    default:
      return "value";
  }
}

function nameOfCall({ callee, arguments: [first] }: Extract<Node, { type: "CallExpression" }>): string {
  // A method such as `names.join(", ")` says its object in other words.
  if (callee.type === "MemberExpression" && callee.object.type !== "Identifier") return nameOf(callee.object);
  if (callee.type === "MemberExpression" && nameOf(callee.object) !== "JSON") return nameOf(callee.object);
  const name = nameOf(callee);
  const [, made] = /^([a-z]\w*)Of$/.exec(name) ?? [];
  return made !== undefined && made !== "list" ? made : first === undefined ? name : nameOf(first as Node);
}

/** Name of a variable in words. */
function spell(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}
