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
  /** Folder of the network, or of a network for the text of each corpus. */
  readonly network: string | Readonly<Record<Corpus, string>>;
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

/** Form of the trained models. */
export interface RowsOptions {
  /** Tokens of a window. */
  readonly length: number;
  /** First layer in which the experts differ from the base, in the feed-forward networks alone; 0 for all weights. */
  readonly firstLayer: number;
}

/** Tokens of each corpus for weights, and for routers by regression. */
const FEW_TOKENS = 8 * 1024;
const ROUTER_TOKENS = 16 * 1024;

/** Tokens of each corpus that experts teach on, and the steps that they teach. */
const MANY_TOKENS = 256 * 1024;
const STEPS = 100;

/** Returns the rows: the trained models in a folder, and what is made of them in another. */
export function rowsOf(folder: string, out: string, { length, firstLayer }: RowsOptions): readonly Row[] {
  const FEW = FEW_TOKENS / length;
  const MANY = MANY_TOKENS / length;
  const model = (name: string) => join(folder, name);
  const made = (name: string) => join(out, name);
  const text = (corpus: Corpus) => `text:${join(folder, "data", `${corpus}-train.txt`)},context=${length}`;
  const few = (corpus: Corpus) => `${text(corpus)}:train@${FEW}`;
  const routed = (corpus: Corpus) => `${text(corpus)}:train@${ROUTER_TOKENS / length}`;
  const data = CORPORA.flatMap((corpus) => ["--data", routed(corpus)]);
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
  const healed = (
    name: string,
    merged: string,
    { experts, steps }: { readonly experts: readonly string[]; readonly steps: number },
  ): Row => {
    const network = made(name);
    const taught = CORPORA.map((corpus) => `${text(corpus)}:train@${MANY}`);
    const measured = CORPORA.map((corpus) => `${text(corpus)}:test@${FEW / 4}`);
    const learning = ["--from", ...experts, "--data", ...taught, "--eval-data", ...measured];
    const command = ["heal", made(merged), ...learning, "--steps", String(steps), "-o", network];
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
  /** The base with the feed-forward networks of each expert: what routers that never err would choose. */
  const units = (corpus: Corpus): string => {
    const weights = (own: number) =>
      `parameters: { weight: [{ filter: mlp, value: ${own} }, { value: ${1 - own} }] }`;
    const models = [
      `  - { model: ${model("base")}, ${weights(0)} }`,
      `  - { model: ${model(corpus)}, ${weights(1)} }`,
    ];
    return ["merge_method: linear", "models:", ...models, ""].join("\n");
  };
  const perfect = CORPORA.map((corpus) => byRecipe(`units-of-${corpus}`, units(corpus)));
  const rightExpert: Row = {
    name: "right-expert",
    files: Object.assign({}, ...perfect.map(({ files }) => files)),
    commands: perfect.flatMap(({ commands }) => commands),
    network: Object.fromEntries(CORPORA.map((corpus) => [corpus, made(`units-of-${corpus}`)])) as Readonly<
      Record<Corpus, string>
    >,
  };
  /** A mixture whose first layers, in which all experts are the base, have no experts; all three see each token. */
  const dense: Row = {
    name: "mixture-dense",
    files: {
      [made("mixture-dense.yml")]: [
        `base_model: ${model("base")}`,
        "gate_mode: ridge",
        "architecture: deepseek",
        "dtype: float32",
        `experts_per_token: ${CORPORA.length}`,
        `dense_layers: ${firstLayer}`,
        "experts:",
        ...CORPORA.map(
          (corpus) => `  - { source_model: ${model(corpus)}, data: ${JSON.stringify(routed(corpus))} }`,
        ),
        "",
      ].join("\n"),
    },
    commands: [["moe", made("mixture-dense.yml"), "-o", made("mixture-dense")]],
    network: made("mixture-dense"),
  };
  /** Each expert as a mixture of copies of itself, which can teach a mixture as it has the same graph. */
  const copies = CORPORA.map((corpus) => {
    const [name, recipe] = [made(`copies-of-${corpus}`), made(`copies-of-${corpus}.yml`)];
    const copy = `  - source_model: ${model(corpus)}`;
    const head = [`base_model: ${model(corpus)}`, "gate_mode: random", "architecture: mixtral"];
    const lines = [
      ...head,
      "dtype: float32",
      "experts_per_token: 1",
      "experts:",
      ...CORPORA.map(() => copy),
      "",
    ];
    return { files: { [recipe]: lines.join("\n") }, command: ["moe", recipe, "--for-training", "-o", name] };
  });
  const healedMixture = healed("healed-mixture", "mixture-ridge", {
    experts: CORPORA.map((corpus) => made(`copies-of-${corpus}`)),
    steps: STEPS / 2,
  });
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
    ...(firstLayer === 0 ? [rightExpert] : [dense]),
    tuned("tuned-closed-form", "task_arithmetic", ["--objective", "output-space", "--by", "layer"]),
    tuned("tuned-by-loss", "task_arithmetic", [
      ...["--objective", "loss", "--by", "layer", "--steps", "30", "--lr", "0.06"],
    ]),
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
    healed("healed-average", "average", { experts: CORPORA.map(model), steps: STEPS }),
    {
      ...healedMixture,
      files: Object.assign({}, ...copies.map(({ files }) => files)),
      commands: [...copies.map(({ command }) => command), ...healedMixture.commands],
    },
  ];
}
