import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import type { DataSet, Engine } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, type Symmetries } from "@isthmus/symmetry";
import { train } from "@isthmus/training";
import { type Network, parseNetwork } from "@isthmus/zoo";
import { type Change, cutText, drawChanged, readText } from "./examples.ts";

/** Networks that are merged, and what the result is measured on. */
export interface MergeCase {
  readonly name: string;
  /** Name of the way in which the networks were trained, such as `halves`. */
  readonly kind: string;
  readonly world: string;
  readonly networks: readonly Checkpoint[];
  /** The network that all were trained from; missing if there is none, or nobody knows it. */
  readonly base?: Checkpoint;
  /** One set of test examples for each task. */
  readonly tests: readonly DataSet[];
  /** One set of training examples for each network, by which gradients are measured. */
  readonly examples: readonly DataSet[];
}

/** Options of a world. */
export interface WorldOptions {
  readonly seed: number;
  readonly engine: Engine;
  /** Folder in which trained networks are kept. */
  readonly folder: string;
}

/** Networks of one architecture and one base, and the merges of them. */
export interface World {
  readonly name: string;
  readonly network: Network;
  readonly symmetries: Symmetries;
  cases(): AsyncGenerator<MergeCase>;
}

/** Settings of a training. */
export interface Training {
  readonly seed: number;
  readonly rate: number;
  readonly epochs: number;
  readonly batch?: number;
  /** Factor of the decay of weights. @defaultValue 0 */
  readonly decay?: number;
}

/** Trains a network; rates below 0.01 are of Adam, others of SGD with momentum. */
export async function trainOn(
  { network, engine }: { readonly network: Network; readonly engine: Engine },
  start: Checkpoint,
  data: DataSet,
  { seed, rate, epochs, batch = 50, decay = 0 }: Training,
): Promise<Checkpoint> {
  const { weights } = await train({ graph: network.graph, engine }, start, data, {
    seed,
    epochs,
    batch: Math.min(batch, data.size),
    threads: 1,
    optimizer:
      rate < 0.01
        ? { kind: "adamw", weightDecay: decay }
        : { kind: "sgd", momentum: 0.9, weightDecay: decay },
    schedule: { kind: "cosine", learningRate: rate },
  });
  return weights;
}

/** Takes a network from the folder of trained networks, or trains it and keeps it there. */
export async function keep(
  folder: string,
  name: string,
  make: () => Promise<Checkpoint>,
): Promise<Checkpoint> {
  const path = join(folder, `${name.replaceAll(/[^a-z0-9]+/g, "-")}.safetensors`);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) await saveCheckpoint(await make(), path);
  const opened = await openCheckpoint(path);
  const held = await hold(opened);
  await opened.close();
  return held;
}

/** Reads a network into memory. */
export async function hold(network: Checkpoint): Promise<Checkpoint> {
  const tensors: Record<string, Tensor> = {};
  for (const name of network.tensors.keys()) tensors[name] = await network.read(name);
  return createCheckpoint(tensors);
}

/** Children of an image classifier: the changes that each is trained on, and how. */
interface ChildrenPlan {
  readonly kind: string;
  readonly children: readonly (Change & Partial<Training> & { readonly examples?: number })[];
  /** Whether all networks are measured on all classes, as they have one task. */
  readonly same?: true;
}

const HALVES = [{ classes: [0, 1, 2, 3, 4] }, { classes: [5, 6, 7, 8, 9] }];
const THIRDS = [{ classes: [0, 1, 2, 3] }, { classes: [4, 5, 6] }, { classes: [7, 8, 9] }];
const FIFTHS = [0, 2, 4, 6, 8].map((first) => ({ classes: [first, first + 1] }));

const CHILDREN: readonly ChildrenPlan[] = [
  { kind: "halves", children: HALVES },
  { kind: "halves, gently", children: HALVES.map((one) => ({ ...one, rate: 0.01, epochs: 1 })) },
  { kind: "halves, far", children: HALVES.map((one) => ({ ...one, rate: 0.08, epochs: 5 })) },
  { kind: "thirds", children: THIRDS },
  { kind: "fifths", children: FIFTHS.map((one) => ({ ...one, examples: 500 })) },
  { kind: "one task, three seeds", children: [{}, {}, { rate: 0.06 }], same: true },
  { kind: "one task, few examples", children: [{ examples: 150 }, { examples: 150 }], same: true },
  { kind: "noisy labels", children: [{}, { noise: 0.5 }], same: true },
  { kind: "changed pixels", children: [{}, { pixels: "inverted" }, { pixels: "rotated" }] },
  { kind: "two changes", children: [{ pixels: "inverted" }, { pixels: "rotated" }] },
  {
    kind: "unequal steps",
    children: [
      { ...HALVES[0], rate: 0.06, epochs: 4 },
      { ...HALVES[1], rate: 0.006 * 2, epochs: 1 },
    ],
  },
];

/** Image classifiers: children of one base, and networks that were trained apart. */
export async function imageWorld(
  spec: string,
  dataName: string,
  { seed, engine, folder }: WorldOptions,
): Promise<World> {
  const all = await openDataSet(`${dataName}:train@12000`);
  const held = await openDataSet(`${dataName}:test@3000`);
  const network = parseNetwork(spec, all);
  const parts = { network, engine };
  const symmetries = await discoverSymmetries({ graph: network.graph, engine });
  const name = `${spec} ${dataName.split(":")[0]}`;
  const testOf = (change: Change) => drawChanged(held, 1000, seed, { ...change, noise: 0 });
  let count = 0;
  const child = async (start: Checkpoint, plan: ChildrenPlan["children"][number]) => {
    const seed = ++count;
    const data = drawChanged(all, plan.examples ?? 1500, 1000 + count, plan);
    const network = await keep(folder, `${name} ${count}`, () =>
      trainOn(parts, start, data, { seed, rate: 0.03, epochs: 3, ...plan }),
    );
    return { network, examples: data };
  };
  async function* cases(): AsyncGenerator<MergeCase> {
    const first = { seed, rate: 0.03, epochs: 2 };
    const base = await keep(folder, `${name} base`, () =>
      trainOn(parts, network.initialize(seed), drawChanged(all, 1500, seed), first),
    );
    const tests = (plan: ChildrenPlan) => (plan.same ? [testOf({})] : plan.children.map(testOf));
    for (const plan of CHILDREN) {
      const made = [];
      for (const one of plan.children) made.push(await child(base, one));
      const networks = made.map((one) => one.network);
      const examples = made.map((one) => one.examples);
      const { kind } = plan;
      yield { name: `${name}: ${kind}`, kind, world: name, networks, base, tests: tests(plan), examples };
      if (kind !== "halves") continue;
      const [first, second] = networks;
      if (first === undefined || second === undefined) continue;
      const turned = permute(randomAlignment(symmetries.spec, seed), second, symmetries.spec);
      const permuted = { name: `${name}: one permuted`, kind: "one permuted", world: name };
      yield { ...permuted, networks: [first, turned], base, tests: tests(plan), examples };
    }
    const apart = async (kind: string, changes: readonly Change[], starts: readonly number[]) => {
      const made = [];
      for (const [i, change] of changes.entries())
        made.push(await child(network.initialize(starts[i] ?? 0), { ...change, epochs: 6, examples: 3000 }));
      const plan = { kind, children: changes };
      const isOne = changes.every((change) => change.classes === undefined);
      return {
        name: `${name}: ${kind}`,
        kind,
        world: name,
        networks: made.map((one) => one.network),
        tests: isOne ? [testOf({})] : tests(plan),
        examples: made.map((one) => one.examples),
      };
    };
    yield await apart("two seeds, one task", [{}, {}], [seed + 10, seed + 11]);
    yield await apart("three seeds, one task", [{}, {}, {}], [seed + 12, seed + 13, seed + 14]);
    yield await apart("two seeds, halves", HALVES, [seed + 15, seed + 16]);
    yield await apart("one start, one task", [{}, {}], [seed + 17, seed + 17]);
    yield await apart("one start, halves", HALVES, [seed + 18, seed + 18]);
  }
  return { name, network, symmetries, cases };
}

/** Texts by name, and the files of the repository that each is made of: a folder, and how their names end. */
const TEXTS: Readonly<Record<string, readonly [folder: string, end: string]>> = {
  prose: ["docs", ".md"],
  code: ["packages/recipe/src", ".ts"],
  python: ["tools/golden", ".py"],
};
async function findFiles([folder, end]: readonly [string, string]): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith(end))
    .sort()
    .map((name) => join(folder, name));
}

/** Texts that language models learn. */
export interface TextOptions {
  /** File of plays. @defaultValue there is no such text */
  readonly plays?: string | undefined;
  /** Most characters of each text. */
  readonly characters: number;
}

/**
 * Takes the texts from the folder of trained networks, or reads and keeps them there: files of the repository change,
 * and a measurement that goes on must not train its next networks on other texts.
 */
async function keepTexts(folder: string, { plays, characters }: TextOptions): Promise<Map<string, string>> {
  const path = join(folder, `texts-${characters}.json`);
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept !== undefined) return new Map(Object.entries(JSON.parse(kept) as Record<string, string>));
  const texts = new Map<string, string>();
  for (const [name, files] of Object.entries(TEXTS))
    texts.set(name, await readText(await findFiles(files), characters));
  if (plays !== undefined) texts.set("plays", await readText([plays], characters));
  await writeFile(path, JSON.stringify(Object.fromEntries(texts)));
  return texts;
}

/** Small language models: children of one base that learned different texts, and ones that were trained apart. */
export async function textWorld(
  spec: string,
  options: TextOptions,
  { seed, engine, folder }: WorldOptions,
): Promise<World> {
  const texts = await keepTexts(folder, options);
  const dataOf = (names: readonly string[], split: "train" | "test") =>
    cutText(names.map((name) => texts.get(name) ?? "").join("\n"), names.join("+"), split);
  const names = [...texts.keys()];
  const network = parseNetwork(spec, dataOf(names, "train"));
  const parts = { network, engine };
  const symmetries = await discoverSymmetries({ graph: network.graph, engine });
  const shorten = (data: DataSet, most: number): DataSet => ({ ...data, size: Math.min(most, data.size) });
  async function* cases(): AsyncGenerator<MergeCase> {
    const learn = (start: Checkpoint, on: readonly string[], training: Training) =>
      keep(folder, `${spec} texts ${on.join(" ")} ${training.seed} ${training.rate}`, () =>
        trainOn(parts, start, dataOf(on, "train"), { batch: 32, ...training }),
      );
    const base = await learn(network.initialize(seed), names, { seed, rate: 0.008, epochs: 1 });
    const far = new Map<string, Checkpoint>();
    const near = new Map<string, Checkpoint>();
    for (const [i, one] of names.entries()) {
      near.set(one, await learn(base, [one], { seed: seed + i, rate: 0.002, epochs: 1 }));
      far.set(one, await learn(base, [one], { seed: seed + i + 9, rate: 0.008, epochs: 2 }));
    }
    const caseOf = (kind: string, on: readonly string[], networks: readonly (Checkpoint | undefined)[]) => ({
      name: `${spec} texts: ${kind}, ${on.join(" ")}`,
      kind,
      world: `${spec} texts`,
      networks: networks.filter((one) => one !== undefined),
      tests: [...new Set(on)].map((one) => shorten(dataOf([one], "test"), 300)),
      examples: on.map((one) => shorten(dataOf([one], "train"), 200)),
    });
    const groups = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]));
    if (names.length > 3) groups.push(names.slice(1), names);
    for (const on of groups) {
      yield {
        ...caseOf(
          "texts, near",
          on,
          on.map((one) => near.get(one)),
        ),
        base,
      };
      yield {
        ...caseOf(
          "texts, far",
          on,
          on.map((one) => far.get(one)),
        ),
        base,
      };
    }
    for (const one of names.slice(-2)) {
      const again = await learn(base, [one], { seed: seed + 30, rate: 0.006, epochs: 1 });
      yield { ...caseOf("one text, two seeds", [one, one], [near.get(one), again]), base };
    }
    const apart: Checkpoint[] = [];
    for (const [i, one] of names.slice(-2).entries())
      apart.push(await learn(network.initialize(seed + 40 + i), [one], { seed: i, rate: 0.008, epochs: 3 }));
    yield caseOf("texts, two starts", names.slice(-2), apart);
  }
  return { name: `${spec} texts`, network, symmetries, cases };
}
