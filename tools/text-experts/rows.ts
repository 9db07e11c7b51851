import { join } from "node:path";

/** Corpora of the experts, which are named like them. */
export const CORPORA = ["shakespeare", "code", "language"] as const;

/** One of the corpora. */
export type Corpus = (typeof CORPORA)[number];

/** A network of the table, and how it is made. */
export interface Row {
  /** Name of the row. */
  readonly name: string;
  /** Recipes that are written first, by their paths. */
  readonly files?: Readonly<Record<string, string>>;
  /** Words of the command lines that make it, after `isthmus`; none for what is there. */
  readonly commands: readonly (readonly string[])[];
  /** Folder of the network. */
  readonly network: string;
}

/** Text in prompts of the mixture, a few words of each corpus. */
const PROMPTS: Readonly<Record<Corpus, readonly string[]>> = {
  shakespeare: ["My lord, what is your will?", "KING HENRY:\nGood morrow, cousin."],
  code: [
    "export function map<T, R>(project: (value: T) => R) {\n  return",
    "import { Observable } from '../Observable';",
  ],
  language: [
    "Das System wird mit dem folgenden Befehl eingerichtet:",
    "Sie können die Datei in einem Editor öffnen.",
  ],
};

/** Steps of the healing, and of the weights that are learned. */
const STEPS = 300;

/** Returns the rows: the trained models in a folder, and what is made of them in another. */
export function rowsOf(folder: string, out: string): readonly Row[] {
  const model = (name: string) => join(folder, name);
  const made = (name: string) => join(out, name);
  const text = (corpus: Corpus) => `text:${join(folder, "data", `${corpus}-train.txt`)}`;
  const few = (corpus: Corpus) => `${text(corpus)}@128`;
  const data = CORPORA.flatMap((corpus) => ["--data", few(corpus)]);
  const there = (name: string): Row => ({ name, commands: [], network: model(name) });
  const merge = (method: string, parameters: string): string =>
    [
      `merge_method: ${method}`,
      ...(method === "linear" ? [] : [`base_model: ${model("base")}`]),
      `parameters: ${parameters}`,
      "models:",
      ...CORPORA.map((corpus) => `  - model: ${model(corpus)}`),
      "",
    ].join("\n");
  const byRecipe = (name: string, recipe: string): Row => {
    const file = made(`${name}.yml`);
    const network = made(name);
    return { name, files: { [file]: recipe }, commands: [["merge", file, "-o", network]], network };
  };
  const tuned = (name: string, method: string, options: readonly string[]): Row => {
    const [file, found, network] = [made(`${name}.yml`), made(`${name}-found.yml`), made(name)];
    const named = CORPORA.flatMap((corpus) => ["--data", `${corpus}=${few(corpus)}`]);
    return {
      name,
      files: { [file]: merge(method, "{ lambda: 1, normalize: false }") },
      commands: [
        ["tune-merge", file, ...options, ...named, "-o", found],
        ["merge", found, "-o", network],
      ],
      network,
    };
  };
  const healed = (name: string, merged: string, options: readonly string[] = []): Row => {
    const network = made(name);
    const experts = CORPORA.map(model);
    return {
      name,
      commands: [
        [
          "heal",
          made(merged),
          "--from",
          ...experts,
          "--data",
          ...CORPORA.map(text),
          "--eval-data",
          "none",
          ...options,
          "-o",
          network,
        ],
      ],
      network,
    };
  };
  const mixture = (base: string): string =>
    [
      `base_model: ${base}`,
      "gate_mode: hidden",
      "architecture: mixtral",
      "dtype: float32",
      "experts_per_token: 1",
      "experts:",
      ...CORPORA.flatMap((corpus) => [
        `  - source_model: ${model(corpus)}`,
        `    positive_prompts: ${JSON.stringify(PROMPTS[corpus])}`,
      ]),
      "",
    ].join("\n");
  const prompts = made("mixture-prompts");
  const recipe = made("mixture-prompts.yml");
  return [
    there("base"),
    ...CORPORA.map(there),
    byRecipe("average", merge("linear", "{ weight: 1 }")),
    byRecipe("ties", merge("ties", "{ weight: 1, density: 0.5, lambda: 1 }")),
    byRecipe("task-arithmetic", merge("task_arithmetic", "{ weight: 0.5, normalize: false }")),
    tuned("tuned-closed-form", "task_arithmetic", ["--objective", "output-space", "--by", "layer"]),
    tuned("tuned-by-loss", "task_arithmetic", [
      "--objective",
      "loss",
      "--by",
      "layer",
      "--steps",
      "100",
      "--lr",
      "0.01",
    ]),
    {
      name: "mixture-prompts",
      files: { [recipe]: mixture(made("average")) },
      commands: [["moe", recipe, "-o", prompts]],
      network: prompts,
    },
    {
      name: "mixture-ridge",
      commands: [["experts", prompts, ...data, "--fit-routers", "-o", made("mixture-ridge")]],
      network: made("mixture-ridge"),
    },
    healed("healed-average", "average", ["--steps", String(STEPS)]),
    healed("healed-ties", "ties", ["--steps", String(STEPS)]),
  ];
}
