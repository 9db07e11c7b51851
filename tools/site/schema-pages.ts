// Makes a page for each JSON Schema that packages publish: the keys of recipes and studies, and the fields of results.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../packages.mjs";
import { escapeWords } from "./api/doc-comment.ts";
import type { SitePage } from "./site-page.ts";

/** The parts of a JSON Schema that the pages show. */
interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly default?: unknown;
}

type Definitions = Readonly<Record<string, JsonSchema>>;

/** A published schema and the page that shows it. */
interface Published {
  readonly file: string;
  readonly page: string;
  readonly title: string;
  readonly about: string;
}

/** Schemas in the order of the sidebar. */
const PUBLISHED: readonly Published[] = [
  {
    file: "packages/recipe/recipe.schema.json",
    page: "reference/recipe",
    title: "Keys of recipes",
    about:
      "What `isthmus merge RECIPE.yml` reads, from the schema by which editors complete recipes, `@isthmus/recipe/recipe.schema.json`. [Merge methods](docs/merge-methods.md) says what each method makes of networks, and [coming from mergekit](docs/coming-from/mergekit.md) what differs.",
  },
  {
    file: "packages/study/study.schema.json",
    page: "reference/study",
    title: "Keys of studies",
    about:
      "What `isthmus study STUDY.yaml` reads, from the schema by which editors complete studies, `@isthmus/study/study.schema.json`. In place of most values a variable of `for` may stand, or a `lookup` of one, as `isthmus study mnist-width --print` shows.",
  },
  {
    file: "packages/report/result.schema.json",
    page: "reference/results",
    title: "Results",
    about:
      "What the files hold that verbs write and `--json` prints, by their `kind`, from the schema `@isthmus/report/result.schema.json`. The types of the packages have a comment on each field: `BarrierResult` of [`@isthmus/barrier`](packages/barrier/README.md) and so on.",
  },
];

/** Largest number of objects inside each other that are shown. */
const MAX_DEPTH = 3;
/** Definitions that have no section: parts without a name of their own, and variables of studies, of which the page speaks once. */
const NAMELESS = /^part\d+$|^variable$/;

/** Makes the pages of all published schemas. */
export function makeSchemaPages(): SitePage[] {
  return PUBLISHED.map(({ file, page, title, about }) => {
    const schema: JsonSchema & { readonly definitions: Definitions } = JSON.parse(
      readFileSync(join(root, file), "utf8"),
    );
    const { definitions } = schema;
    const results = (schema.anyOf ?? []).map((result) =>
      formatSection("##", titleOf(result), result, definitions),
    );
    const named = Object.entries(definitions)
      .filter(([name, definition]) => hasSection(name, definition))
      .flatMap(([name, definition]) => [
        formatSection("##", name, definition, definitions),
        ...objectsOf(definition).map((part) => formatSection("###", titleOf(part), part, definitions)),
      ]);
    const keys = formatKeys(schema, definitions, 0).join("\n");
    const text = [`# ${title}`, about, keys, ...results, ...named].join("\n\n");
    return { page, folder: "", source: undefined, text, isGenerated: true };
  });
}

function formatSection(heading: string, title: string, schema: JsonSchema, definitions: Definitions): string {
  const anchor = heading === "##" ? ` {#${title}}` : "";
  const isChoice = schema.properties === undefined && objectsOf(schema).length <= 1;
  return [
    `${heading} ${title}${anchor}`,
    formatKeys(schema, definitions, 0).join("\n"),
    isChoice ? formatType(schema, definitions) : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Whether a definition stands in a section of its own, to which others link. */
function hasSection(name: string, definition: JsonSchema): boolean {
  return !NAMELESS.test(name) && (definition.properties !== undefined || definition.anyOf !== undefined);
}

/** The forms of a definition that are objects. */
function objectsOf({ anyOf = [] }: JsonSchema): JsonSchema[] {
  return anyOf.filter(({ properties }) => properties !== undefined);
}

/** Name of one form among others: its kind, else the key that it alone has. */
function titleOf({ properties = {} }: JsonSchema): string {
  const kind = properties["kind"]?.const;
  return kind === undefined ? (Object.keys(properties).find((key) => key !== "for") ?? "") : String(kind);
}

/** Lists the keys of an object, those of objects in it below them. */
function formatKeys(schema: JsonSchema, definitions: Definitions, depth: number): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const must = schema.required?.includes(key) ? ", required" : "";
    const [first, ...rest] =
      value.description === undefined ? [] : escapeWords(value.description).split("\n");
    const words = first === undefined ? "" : `: ${first}`;
    const more = rest.map((further) => `${"  ".repeat(depth + 1)}- ${further}`);
    const line = `${"  ".repeat(depth)}- \`${key}\` (${formatType(value, definitions)}${must})${words}`;
    return [
      line,
      ...more,
      ...formatChoices(value, depth + 1),
      ...formatInside(value, definitions, depth + 1),
    ];
  });
}

/** Lists the values of a choice that say what each means. */
function formatChoices({ anyOf = [] }: JsonSchema, depth: number): string[] {
  return anyOf
    .filter((choice) => choice.const !== undefined && choice.description !== undefined)
    .map(
      (choice) =>
        `${"  ".repeat(depth)}- \`${String(choice.const)}\`: ${escapeWords(choice.description ?? "")}`,
    );
}

/** Lists the keys of the objects that a value holds, whichever form it takes. */
function formatInside(schema: JsonSchema, definitions: Definitions, depth: number): string[] {
  if (depth > MAX_DEPTH) return [];
  const { value, isNamed } = resolve(schema, definitions);
  if (isNamed) return [];
  const inside = [
    ...partsOf(value),
    ...(Array.isArray(value.items) || value.items === undefined ? [] : [value.items as JsonSchema]),
    ...(typeof value.additionalProperties === "object" ? [value.additionalProperties] : []),
  ];
  return [
    ...formatKeys(value, definitions, depth),
    ...inside.flatMap((part) => formatInside(part, definitions, depth)),
  ];
}

/** What a value may be; a variable may stand for most values of a study. */
function partsOf({ anyOf, allOf }: JsonSchema): readonly JsonSchema[] {
  return (anyOf ?? allOf ?? []).filter(({ $ref }) => $ref !== "#/definitions/variable");
}

function resolve(
  schema: JsonSchema,
  definitions: Definitions,
): { readonly value: JsonSchema; readonly isNamed: boolean } {
  if (schema.$ref === undefined) return { value: schema, isNamed: false };
  const name = schema.$ref.split("/").at(-1) ?? "";
  const value = definitions[name] ?? {};
  return { value, isNamed: hasSection(name, value) };
}

/** Says what a value may be, in a few words. */
function formatType(schema: JsonSchema, definitions: Definitions): string {
  if (schema.$ref !== undefined) {
    const { value, isNamed } = resolve(schema, definitions);
    const name = schema.$ref.split("/").at(-1) ?? "";
    return isNamed ? `[${name}](#${name})` : formatType(value, definitions);
  }
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  const parts = partsOf(schema);
  if (parts.length > 0) {
    const types = parts.filter(({ description }) => description === undefined);
    const all = [...new Set(types.map((part) => formatType(part, definitions)))].join(" or ");
    return types.length < parts.length ? ["a name", ...(all === "" ? [] : [all])].join(" or ") : all;
  }
  if (schema.type === "array") return formatList(schema, definitions);
  if (schema.type === "object" && typeof schema.additionalProperties === "object" && !schema.properties)
    return Object.keys(schema.additionalProperties).length === 0
      ? "object"
      : `by names: ${formatType(schema.additionalProperties, definitions)}`;
  return `${formatPlain(schema)}${formatBounds(schema)}`;
}

function formatList({ items }: JsonSchema, definitions: Definitions): string {
  if (items === undefined) return "list";
  if (!Array.isArray(items)) return `list of ${formatType(items as JsonSchema, definitions)}`;
  return `list of ${items.length}: ${items.map((item) => formatType(item, definitions)).join(", ")}`;
}

function formatPlain({ type }: JsonSchema): string {
  const names = (typeof type === "string" ? [type] : (type ?? ["anything"])).map((name) =>
    name === "integer"
      ? "whole number"
      : name === "string"
        ? "text"
        : name === "boolean"
          ? "true or false"
          : name,
  );
  return names.join(" or ");
}

function formatBounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const isLargest = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER;
  const bounds = [
    minimum === undefined || minimum <= -Number.MAX_SAFE_INTEGER ? "" : ` from ${minimum}`,
    exclusiveMinimum === undefined ? "" : ` above ${exclusiveMinimum}`,
    isLargest ? "" : ` to ${maximum}`,
    exclusiveMaximum === undefined ? "" : ` below ${exclusiveMaximum}`,
  ];
  return bounds.join("");
}
