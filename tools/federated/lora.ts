/**
 * Fine-tunes a small GPT by LoRA in a federation, by several ways of making one adapter of those of the
 * clients: factors averaged by themselves, exact means of products, clients of several ranks, attackers.
 *
 *     npx tsx --conditions=@isthmus/source tools/federated/lora.ts --out FOLDER --base code.txt
 *         --text shakespeare-train.txt,german-train.txt --test shakespeare-test.txt,german-test.txt
 *         [--rounds 8] [--clients 8] [--steps 20] [--rate 0.003] [--seed 0] [--only "*"] [--pretrain 600]
 *         [--optimizer adam]
 *
 * The GPT (2 layers of width 64, windows of 64 characters) learns the text `--base` in `--pretrain` steps of
 * 16 windows. `--text` and `--test` are files, or several with commas between them, which the clients are dealt
 * in turns; each client has a part of its text, and makes `--steps` steps of Adam a round, or of plain
 * gradients with `--optimizer sgd`, on windows from a place of it that is drawn anew each round, with the
 * weights of the GPT frozen. Prints one JSON object for each
 * round of each way: the mean loss on `--test` in nats a character, and the error of the aggregate, the Frobenius
 * norm of its distance from the exact mean of the clients' changes divided by the norm of that mean. The GPT
 * and the last adapter of each way are stored in FOLDER, which `check_lora.py` reads.
 */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  matchesAny,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { createTokenDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet, type Graph } from "@isthmus/graph";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { adaptGraph, drawAdapter, readAdapter } from "./adapted-graph.ts";
import {
  type Adapter,
  type Aggregate,
  aggregationError,
  atRank,
  balanced,
  byFactors,
  byProducts,
  byRotatedFactors,
  byWholeProducts,
  keepingA,
  rotateTo,
} from "./lora-aggregates.ts";

const { values: args } = parseArgs({
  options: {
    out: { type: "string" },
    base: { type: "string" },
    text: { type: "string" },
    test: { type: "string" },
    rounds: { type: "string", default: "8" },
    clients: { type: "string", default: "8" },
    steps: { type: "string", default: "20" },
    rate: { type: "string", default: "0.003" },
    seed: { type: "string", default: "0" },
    only: { type: "string", default: "*" },
    pretrain: { type: "string", default: "600" },
    optimizer: { type: "string", default: "adam" },
  },
});
if (!args.out || !args.base || !args.text || !args.test)
  throw new Error("give --out, --base, --text and --test");
const [rounds, count, steps] = [Number(args.rounds), Number(args.clients), Number(args.steps)];
const [seed, pretrain, rate] = [Number(args.seed), Number(args.pretrain), Number(args.rate)];
const { out } = args;

const [NET, CONTEXT, BATCH, TEST] = ["gpt:d2:w64:h4:c64", 64, 16, 256];
/** Characters beyond ASCII count as question marks. */
const VOCABULARY = 128;

async function tokensOf(path: string): Promise<Uint16Array> {
  const text = await readFile(path, "utf8");
  return Uint16Array.from([...text], (character) => {
    const code = character.codePointAt(0) ?? VOCABULARY;
    return code < VOCABULARY ? code : 63;
  });
}

/**
 * Reads so many windows from a place of a text that is drawn; each begins with the last character of the window
 * before.
 */
function windowsOf(tokens: Uint16Array, windows: number, stream: string): DataSet {
  const size = windows * (CONTEXT - 1) + 1;
  const begin = createRandom(seed, stream).integer(tokens.length - size);
  const drawn = tokens.slice(begin, begin + size);
  return createTokenDataSet(drawn, { context: CONTEXT, vocabularySize: VOCABULARY, name: stream });
}

const all = (paths: string): Promise<Uint16Array[]> => Promise.all(paths.split(",").map(tokensOf));
const [baseText, texts, testTexts] = [await tokensOf(args.base), await all(args.text), await all(args.test)];
const engine = createOnnxRuntimeEngine();
const test = createTokenDataSet(testTokens(), { context: CONTEXT, vocabularySize: VOCABULARY, name: "test" });
const { graph, initialize } = parseNetwork(NET, test);

/** Returns as many windows of each text for tests. */
function testTokens(): Uint16Array {
  const size = Math.floor(TEST / testTexts.length) * (CONTEXT - 1);
  const tokens = new Uint16Array(size * testTexts.length + 1);
  for (const [i, text] of testTexts.entries()) tokens.set(text.subarray(0, size + 1), i * size);
  return tokens;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Returns the network that was stored under a name, or makes and stores it. */
async function stored(name: string, make: () => Promise<Checkpoint>): Promise<Checkpoint> {
  const path = join(out, `${name}.safetensors`);
  if (!(await exists(path))) await saveCheckpoint(await make(), path);
  return openCheckpoint(path);
}

const base = await stored(`base-p${pretrain}-s${seed}`, async () => {
  const data = windowsOf(baseText, pretrain * BATCH, "pretraining");
  const trained = await train({ graph, engine }, initialize(seed), data, {
    seed,
    epochs: 1,
    batch: BATCH,
    optimizer: { kind: "adam" },
    threads: 1,
    schedule: { kind: "cosine", learningRate: 0.003 },
  });
  return trained.weights;
});
const frozen = [...base.tensors.keys()];
const frozenTensors: (readonly [string, Tensor])[] = [];
for (const name of frozen) frozenTensors.push([name, await base.read(name)]);

const graphs = new Map<number, Graph>();
function graphOf(rank: number): Graph {
  const made = graphs.get(rank) ?? adaptGraph(graph, rank);
  graphs.set(rank, made);
  return made;
}

const networkOf = (adapter: Adapter): Checkpoint => createCheckpoint(new Map([...frozenTensors, ...adapter]));

async function lossOf(adapter: Adapter, rank: number): Promise<number> {
  const evaluator = await createEvaluator({ graph: graphOf(rank), engine }, test);
  try {
    return (await evaluator.evaluate(networkOf(adapter))).loss;
  } finally {
    await evaluator.release();
  }
}

/** Returns the part of a client: texts are dealt in turns, and each is divided among its clients. */
function partOf(client: number): Uint16Array {
  const text = at(texts, client % texts.length);
  const size = Math.floor((text.length * texts.length) / count);
  const place = Math.floor(client / texts.length);
  return text.subarray(place * size, (place + 1) * size);
}

async function trainClient(
  start: Adapter,
  { client, round, rank, freeze }: { client: number; round: number; rank: number; freeze: readonly string[] },
): Promise<Adapter> {
  const data = windowsOf(partOf(client), steps * BATCH, `client ${client} in round ${round}`);
  const { weights } = await train({ graph: graphOf(rank), engine }, networkOf(start), data, {
    seed,
    epochs: 1,
    batch: BATCH,
    optimizer: args.optimizer === "sgd" ? { kind: "sgd" } : { kind: "adam" },
    threads: 1,
    schedule: { kind: "constant", learningRate: rate },
    freeze: [...frozen, ...freeze],
  });
  return readAdapter(weights);
}

/** A way in which a federation goes. */
interface Way {
  readonly name: string;
  /** Rank of the server, and those of the clients in turns. */
  readonly server: number;
  readonly ranks: readonly number[];
  readonly aggregate: Aggregate;
  readonly freeze?: readonly string[];
  /**
   * Directions to which each client turns its factors at the start of a round: its own last ones, the last ones
   * of the first client, or any.
   */
  readonly turns?: "back" | "together" | "anywhere";
  /** Number of clients, the first ones, that send -10 B in place of B. */
  readonly attackers?: number;
}

const MIXED = [2, 4, 8, 16];

/** Makes a way in which two clients attack a rule. */
function attacked(...chosen: Parameters<typeof byProducts>): Way {
  const aggregate = byProducts(...chosen);
  return { name: `attacked-${chosen[0]}`, server: 8, ranks: [8], attackers: 2, aggregate };
}

const WAYS: readonly Way[] = [
  { name: "factors", server: 8, ranks: [8], aggregate: byFactors },
  { name: "rotated-factors", server: 8, ranks: [8], aggregate: byRotatedFactors },
  { name: "keep-a", server: 8, ranks: [8], aggregate: keepingA, freeze: ["*lora_A.weight"] },
  { name: "products", server: 8, ranks: [8], aggregate: byProducts() },
  { name: "products-turned", server: 8, ranks: [8], aggregate: byProducts(), turns: "back" },
  { name: "products-turned-together", server: 8, ranks: [8], aggregate: byProducts(), turns: "together" },
  { name: "products-turned-anywhere", server: 8, ranks: [8], aggregate: byProducts(), turns: "anywhere" },
  { name: "products-balanced", server: 8, ranks: [8], aggregate: balanced(byProducts()) },
  // The width of the network is 64: nothing is lost.
  { name: "products-server-64", server: 64, ranks: [8], aggregate: byProducts() },
  { name: "mixed-factors", server: 16, ranks: MIXED, aggregate: byFactors },
  { name: "mixed-whole-products", server: 16, ranks: MIXED, aggregate: byWholeProducts },
  { name: "mixed-products", server: 16, ranks: MIXED, aggregate: byProducts() },
  { name: "mixed-products-turned", server: 16, ranks: MIXED, aggregate: byProducts(), turns: "back" },
  { name: "median", server: 8, ranks: [8], aggregate: byProducts("coordinate-median") },
  attacked("fedavg"),
  attacked("coordinate-median"),
  attacked("geometric-median"),
  attacked("multi-krum", { f: 2 }),
  attacked("trimmed-mean", { f: 2 }),
];

const hostile = (adapter: Adapter): Adapter =>
  new Map(
    [...adapter].map(([name, tensor]): [string, Tensor] => {
      const data = Float32Array.from(tensor.data as Float32Array, (value) =>
        name.endsWith("lora_B.weight") ? -10 * value : value,
      );
      return [name, { dtype: "f32", shape: tensor.shape, data }];
    }),
  );

const drawn = (rank: number, client: number): Adapter => drawAdapter(graphOf(rank), seed + 1000 * client);

for (const way of WAYS) {
  if (!matchesAny(args.only.split(","), way.name)) continue;
  let global: Adapter = drawn(way.server, 0);
  console.log(JSON.stringify({ way: way.name, seed, round: 0, loss: await lossOf(global, way.server) }));
  const last = Array.from({ length: count }, (_, client) =>
    drawn(at(way.ranks, client % way.ranks.length), 1 + client),
  );
  for (let round = 1; round <= rounds; round++) {
    const clients = Array.from({ length: count }, (_, client) => ({
      client,
      rank: at(way.ranks, client % way.ranks.length),
    }));
    const began = clients.map(({ client, rank }) => {
      const start = atRank(global, rank, drawn(rank, 1 + client));
      if (way.turns === undefined) return start;
      if (way.turns === "anywhere") return rotateTo(drawn(rank, 1 + client + count * round), start);
      return rotateTo(at(last, way.turns === "together" ? 0 : client), start);
    });
    const sent: Adapter[] = [];
    for (const { client, rank } of clients) {
      const trained = await trainClient(at(began, client), { client, round, rank, freeze: way.freeze ?? [] });
      last[client] = trained;
      sent.push(client < (way.attackers ?? 0) ? hostile(trained) : trained);
    }
    const made = await way.aggregate({ global, sent });
    const error = aggregationError({ global, sent }, began, made);
    global = made;
    console.log(
      JSON.stringify({ way: way.name, seed, round, loss: await lossOf(global, way.server), error }),
    );
  }
  await saveCheckpoint(createCheckpoint(new Map(global)), join(out, `${way.name}-s${seed}.safetensors`), {
    overwrite: true,
  });
}
