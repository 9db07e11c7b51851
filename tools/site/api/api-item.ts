// Reads what stands in the reference about one exported name.
import type { Class, ClassElement, Node, TSSignature, VariableDeclarator } from "oxc-parser";
import { commentBefore, type DeclaredAt, declarationOf, readDeclaration } from "../../public-names.mjs";
import { type DocComment, parseDocComment } from "./doc-comment.ts";

/** Kinds of exported names, in the order of a page. */
export const KINDS = ["Functions", "Classes", "Constants", "Types"] as const;

/** A field or method of a type or class. */
export interface ApiMember {
  /** Its declaration, without a body. */
  readonly signature: string;
  /** Its doc comment. */
  readonly comment: DocComment;
}

/** An exported name with what its readers have to know. */
export interface ApiItem {
  /** The name. */
  readonly name: string;
  /** Path of the source that declares it. */
  readonly path: string;
  /** What kind of thing it is. */
  readonly kind: (typeof KINDS)[number];
  /** Its doc comment. */
  readonly comment: DocComment;
  /** Its declaration in TypeScript, without bodies and without members that have comments of their own. */
  readonly signature: string;
  /** Members that are described one by one. */
  readonly members: readonly ApiMember[];
}

/** Longest initial value of a constant that is shown, in characters. */
const MAX_VALUE = 600;

/** Reads the item of an exported name. */
export function readItem(name: string, at: DeclaredAt): ApiItem {
  const { nodes, text, comment } = readDeclaration(at);
  const [node] = nodes;
  if (node === undefined) throw new Error(`${at.path} does not declare ${at.local}`);
  const shared = { name, path: at.path, comment: parseDocComment(comment || typeComment(node, at.path)) };
  switch (node.type) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      return { ...shared, kind: "Functions", signature: functionText(nodes, text), members: [] };
    case "ClassDeclaration":
      return { ...shared, kind: "Classes", ...readClass(node, text) };
    case "TSInterfaceDeclaration":
      return {
        ...shared,
        kind: "Types",
        signature: `${text.slice(node.start, node.body.start).trim()} { … }`,
        members: node.body.body.map((member) => memberOf(member, text)),
      };
    case "VariableDeclarator":
      return { ...shared, kind: "Constants", signature: constantText(node, text), members: [] };
    default:
      return { ...shared, kind: "Types", signature: text.slice(node.start, node.end), members: [] };
  }
}

/**
 * Comment of the type of a constant, if that is named: of `Files["stat"]` the comment of the method, as a side of a port has no words of
 * its own. Empty if there is none.
 */
function typeComment(node: Node, path: string): string {
  if (node.type !== "VariableDeclarator") return "";
  const annotated = "typeAnnotation" in node.id ? node.id.typeAnnotation?.typeAnnotation : undefined;
  const type = annotated ?? (node.init?.type === "TSAsExpression" ? node.init.typeAnnotation : undefined);
  const named = type?.type === "TSIndexedAccessType" ? type.objectType : type;
  if (named?.type !== "TSTypeReference" || named.typeName.type !== "Identifier") return "";
  const at = declarationOf(path, named.typeName.name);
  if (at === undefined) return "";
  const { nodes, text, comment } = readDeclaration(at);
  if (type?.type !== "TSIndexedAccessType") return comment;
  const [declared] = nodes;
  const { indexType } = type;
  const key =
    indexType.type === "TSLiteralType" && indexType.literal.type === "Literal"
      ? indexType.literal.value
      : undefined;
  const members = declared?.type === "TSInterfaceDeclaration" ? declared.body.body : [];
  const member = members.find(
    (other) => "key" in other && other.key.type === "Identifier" && other.key.name === key,
  );
  return member === undefined ? "" : commentBefore(text, member.start);
}

/** Declarations of a function without its body; of one with overloads these alone, as nobody can call the last. */
function functionText(nodes: readonly Node[], text: string): string {
  const overloads = nodes.filter(({ type }) => type === "TSDeclareFunction");
  const shown = overloads.length > 0 ? overloads : nodes;
  return shown
    .map((node) => {
      const end = "body" in node && node.body !== null ? (node.body as Node).start : node.end;
      return text
        .slice(node.start, end)
        .trim()
        .replace(/^async /, "")
        .replace(/;$/, "");
    })
    .join("\n");
}

function constantText({ id, init, start, end }: VariableDeclarator, text: string): string {
  if (init === null || (end - init.start <= MAX_VALUE && !text.slice(init.start, end).includes("=>")))
    return `const ${text.slice(start, end)}`;
  return `const ${text.slice(start, id.end)}${id.typeAnnotation ? "" : " = …"}`;
}

function readClass(node: Class, text: string): Pick<ApiItem, "signature" | "members"> {
  const isShown = (member: ClassElement): boolean =>
    "key" in member &&
    member.key.type !== "PrivateIdentifier" &&
    !("accessibility" in member && member.accessibility === "private") &&
    !commentBefore(text, member.start).includes("@internal") &&
    !("override" in member && member.override === true) &&
    !("key" in member && member.key.type === "Identifier" && member.key.name === "_tag");
  return {
    signature: `${text.slice(node.start, node.body.start).trim()} { … }`,
    members: node.body.body.filter(isShown).map((member) => memberOf(member, text)),
  };
}

function memberOf(member: TSSignature | ClassElement, text: string): ApiMember {
  const comment = parseDocComment(commentBefore(text, member.start));
  return { signature: memberText(member, text), comment };
}

/** Declaration of a member without its body or its value. */
function memberText(member: TSSignature | ClassElement, text: string): string {
  const { value } = member as { readonly value?: Node | null };
  const isMethod = member.type === "MethodDefinition" && value?.type === "FunctionExpression";
  const body = isMethod && value.body !== null ? value.body : undefined;
  const initial = member.type === "PropertyDefinition" ? value : undefined;
  const end = body?.start ?? initial?.start ?? member.end;
  return text
    .slice(member.start, end)
    .replace(/\s*=?\s*[;,]?\s*$/, "")
    .replace(/^(?:readonly|async) /, "")
    .replace(/\s*\n\s*/g, " ");
}
