import { HUB_PREFIX } from "@isthmus/core";
import { existsSync } from "@isthmus/platform";
import { stringify } from "yaml";

/** One of the networks in a model card. */
export interface CardNetwork {
  /** Path of the network, or its name on the Hugging Face hub, as in the recipe. */
  readonly name: string;
  /** Whether the network is the base of the merge. @defaultValue false */
  readonly isBase?: boolean;
  /** Parameters of the network in the recipe, such as `weight`. @defaultValue none */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** End of the sentence by which a model card says what made the model. */
export const MADE_WITH = "made with [Isthmus](https://www.npmjs.com/package/isthmus).";

/** Contents of a model card. */
export interface ModelCard {
  /** Heading. */
  readonly name: string;
  /** Networks that were merged, for the table and the front matter. */
  readonly networks: readonly CardNetwork[];
  /** Name of the merged parts, in the plural. @defaultValue "networks" */
  readonly merged?: "networks" | "adapters";
  /** Name of the merge method, such as `ties`. */
  readonly method?: string | undefined;
  /** The recipe as text, in YAML. */
  readonly recipe?: string | undefined;
  /** Library that loads the result, for the front matter. @defaultValue "transformers" */
  readonly library?: string | undefined;
  /** Sentences about the result, such as rows that were filled. @defaultValue none */
  readonly notes?: readonly string[];
}

/**
 * Writes a model card (README.md of the Hugging Face hub): front matter with the networks as `base_model` and
 * the tags `merge` and `isthmus`, a table of the networks, and the recipe.
 *
 * The front matter lists only names of the form `owner/model`, because the hub refuses others.
 */
export function formatModelCard(card: ModelCard): string {
  const { name, networks, method, recipe, library = "transformers", notes = [], merged = "networks" } = card;
  const models = [...new Set(networks.flatMap((network) => hubNamesOf(network.name)))];
  const front = {
    ...(models.length > 0 ? { base_model: models, base_model_relation: "merge" } : {}),
    library_name: library,
    tags: ["merge", "isthmus"],
  };
  const parts = [
    `---\n${stringify(front)}---`,
    `# ${name}`,
    `A merge of ${networks.length} ${merged}${method === undefined ? "" : ` by the method \`${method}\``}, ${MADE_WITH}`,
    formatTable(networks),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
    ...(recipe === undefined ? [] : ["## Recipe", formatCode(recipe)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/**
 * Finds the repositories of the hub in the name of a network, such as
 * `hub:owner/model@revision+owner/adapter`.
 */
export function hubNamesOf(name: string): readonly string[] {
  return name.split("+").flatMap((part) => {
    const isNamed = part.startsWith(HUB_PREFIX);
    const [repository = ""] = part.slice(isNamed ? HUB_PREFIX.length : 0).split("@");
    const [, short] = /^(\w[\w.-]*\/\w[\w.-]*)/.exec(repository) ?? [];
    if (isNamed) return short === undefined ? [] : [short];
    return short === repository && !existsSync(repository) ? [repository] : [];
  });
}

function formatTable(networks: readonly CardNetwork[]): string {
  const keys = [...new Set(networks.flatMap(({ parameters = {} }) => Object.keys(parameters)))];
  const rows = networks.map(({ name, isBase = false, parameters = {} }) => {
    const [hubName] = hubNamesOf(name);
    const isLink = hubName !== undefined && (name === hubName || name === `${HUB_PREFIX}${hubName}`);
    return [
      isLink ? `[${hubName}](https://huggingface.co/${hubName})` : name,
      isBase ? "base" : "",
      ...keys.map((key) => (key in parameters ? formatValue(parameters[key]) : "")),
    ];
  });
  const lines = [["network", "role", ...keys], ["---", "---", ...keys.map(() => "---")], ...rows];
  return lines.map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join("\n");
}

function formatValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function escapeCell(text: string): string {
  return text.replace(/\|/g, "\\|").replace(/\r?\n/g, " ");
}

/** Fences a text by more backticks than the text has in a row. */
export function formatCode(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}yaml\n${text.trimEnd()}\n${fence}`;
}
