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

/** Windows of 128 tokens of each corpus, for weights, routers and their like. */
const FEW = 64;

/** Windows of 128 tokens of each corpus that experts teach on, and the steps that they teach. */
const MANY = 2000;
const STEPS = 300;

/** Returns the rows: the trained models in a folder, and what is made of them in another. */
export function rowsOf(folder: string, out: string): readonly Row[] {
  const model = (name: string) => join(folder, name);
  const made = (name: string) => join(out, name);
  const text = (corpus: Corpus) => `text:${join(folder, "data", `${corpus}-train.txt`)}`;
  const few = (corpus: Corpus) => `${text(corpus)}:train@${FEW}`;
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
  const healed = (name: string, merged: string): Row => {
    const network = made(name);
    const taught = CORPORA.map((corpus) => `${text(corpus)}:train@${MANY}`);
    const measured = CORPORA.map((corpus) => `${text(corpus)}:test@${FEW}`);
    const experts = ["--from", ...CORPORA.map(model), "--data", ...taught, "--eval-data", ...measured];
    const command = ["heal", made(merged), ...experts, "--steps", String(STEPS), "-o", network];
    return { name, commands: [command], network };
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
  const byPrompts = (name: string, base: string) => {
    const recipe = made(`${name}.yml`);
    return { files: { [recipe]: mixture(base) }, command: ["moe", recipe, "-o", made(name)] };
  };
  const byRidge = (from: string, to: string) => [
    "experts",
    made(from),
    ...data,
    "--fit-routers",
    "-o",
    made(to),
  ];
  const prompts = byPrompts("mixture-prompts", model("base"));
  /** Mixtures with the attention of one expert each, and routers by its hidden states. */
  const parents = CORPORA.map((corpus) => byPrompts(`of-${corpus}`, model(corpus)));
  const merged = made("mixtures-merged.yml");
  const mixtures = CORPORA.map((corpus) => made(`of-${corpus}`));
  return [
    there("base"),
    ...CORPORA.map(there),
    byRecipe("average", merge("linear", "{ weight: 1 }")),
    byRecipe("ties", merge("ties", "{ weight: 1, density: 0.5, lambda: 0.4 }")),
    tuned("tuned-closed-form", "task_arithmetic", ["--objective", "output-space", "--by", "layer"]),
    tuned("tuned-by-loss", "task_arithmetic", [
      ...["--objective", "loss", "--by", "layer", "--steps", "60", "--lr", "0.03"],
    ]),
    {
      name: "mixture-prompts",
      files: prompts.files,
      commands: [prompts.command],
      network: made("mixture-prompts"),
    },
    {
      name: "mixture-ridge",
      commands: [byRidge("mixture-prompts", "mixture-ridge")],
      network: made("mixture-ridge"),
    },
    {
      name: "mixtures-merged",
      files: {
        ...Object.assign({}, ...parents.map(({ files }) => files)),
        [merged]: [
          "merge_method: linear",
          "models:",
          ...mixtures.map((path) => `  - model: ${path}`),
          "",
        ].join("\n"),
      },
      commands: [...parents.map(({ command }) => command), ["merge", merged, "-o", made("mixtures-merged")]],
      network: made("mixtures-merged"),
    },
    {
      name: "mixtures-realigned",
      commands: [
        [
          "experts",
          made("mixtures-merged"),
          "--realign",
          "--from",
          ...mixtures,
          "--data",
          ...CORPORA.map(few),
          "-o",
          made("mixtures-realigned"),
        ],
      ],
      network: made("mixtures-realigned"),
    },
    healed("healed-average", "average"),
    healed("healed-ties", "ties"),
  ];
}
