import {
  assertWholeOptions,
  type Checkpoint,
  DTYPES,
  excerpt,
  matchesAny,
  OutOfRangeError,
  resolveOptions,
  UsageError,
} from "@isthmus/core";
import { assertNetwork, type Engine, fingerprintGraph, fingerprintWeights, type Graph } from "@isthmus/graph";
import { describeRun, type RunDescription } from "../train/describe-run.ts";
import { prepareSteps, type SteppedOptions } from "../train/prepare-steps.ts";
import { chooseBatch } from "../train/resolve-train-options.ts";
import { runEpochs } from "../train/run-epochs.ts";
import { collectWeights } from "../train/train.ts";
import type { ResolvedTrainOptions } from "../train/train-options.ts";
import { TRAIN_DEFAULTS } from "../train/train-options.ts";
import { startOf } from "../train/training-state.ts";
import { createTaughtRunner, type Lesson } from "./create-taught-runner.ts";
import { DISTILL_DEFAULTS, type Distilled, type DistillOptions } from "./distill-options.ts";
import { taughtLoss } from "./taught-loss.ts";
import type { Teacher } from "./teacher.ts";

type Resolved = ReturnType<typeof resolve>;

/**
 * Trains a network on the outputs of experts instead of labels: in each step one of them, in turn, answers a
 * batch of its own examples, and the network moves towards its answers.
 *
 * Experts may have the network's graph, graphs that share weights by name, such as a body with a head for
 * each task, whose weights a step then trains, or architectures of their own, whose outputs alone are alike.
 * Like `train` it depends on the seed alone, keeps a state from which it resumes to the same bytes, and
 * refuses weights that are not finite.
 * @see Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015
 * @param student - network to train, with the weights of all graphs
 * @param teachers - experts, at least one
 * @throws InputError if data are empty or do not fit their graph, or a state would be replaced
 * @throws MismatchError if weights do not fit a graph, or the state is of another training
 * @throws UnsupportedError if an operator has no gradient rule, or outputs are neither logits nor numbers
 * @throws OutOfRangeError if an option is out of its range, or a pattern matches no parameter
 * @throws UsageError, FormatError, DivergenceError, EngineError, DOMException as `train`
 */
export async function distill(
  engine: Engine,
  student: Checkpoint,
  teachers: readonly Teacher[],
  options: DistillOptions,
): Promise<Distilled> {
  const resolved = resolve(options);
  if (teachers.length === 0) throw new UsageError("Cannot distill as an expert must teach: there is none");
  const graphs = [...new Set(teachers.map(({ graph }) => graph))];
  assertPatterns(graphs, resolved);
  const whole = unite(graphs);
  assertNetwork(whole, student);
  const lessons: Lesson[] = [];
  for (const teacher of teachers) {
    // An expert may have the heads of the others, too.
    assertNetwork(teacher.ownGraph ?? withWeightsOf(whole, teacher), teacher.weights);
    lessons.push(await prepareLesson(engine, teacher, resolved));
  }
  const runner = await createTaughtRunner(lessons, student, resolved);
  try {
    const run = resolved.statePath === undefined ? {} : await describe(lessons, { whole, student, resolved });
    const start = await startOf(resolved, run, await runner.carried());
    await runner.spread();
    const collect = async () =>
      collectWeights(whole, new Map([...runner.fixed, ...(await runner.carried())]));
    const taken = resolved.collect;
    const current = { inputs: { shape: [resolved.batch] } };
    const result = await runEpochs(
      {
        runner,
        run,
        // The runner makes batches and targets itself, as they depend on the expert.
        batches: { current: current as never, fill() {} },
        filler: { feeds: new Map(), fill() {} },
        plan: { feedsOf: () => new Map() },
        evaluator: undefined,
        data: { size: resolved.steps * resolved.batch },
        collect: taken && {
          steps: new Set(taken.steps),
          take: async (at: number) => taken.take(at, await collect()),
        },
      },
      start,
      resolved,
    );
    const { steps, resumedAt, loss, seconds } = result;
    return { weights: await collect(), steps, resumedAt, loss, seconds };
  } finally {
    await runner.release();
  }
}

/** Fills in defaults and checks numbers; the steps make one epoch of a training. */
function resolve(options: DistillOptions) {
  const defaults = {
    ...DISTILL_DEFAULTS,
    seed: -1,
    statePath: undefined,
    collect: undefined,
    signal: undefined,
    onProgress: undefined,
  };
  const distilling = resolveOptions<Required<DistillOptions>>("distill", defaults, options);
  assertWholeOptions(
    "distill",
    { ...distilling, batch: distilling.batch ?? DISTILL_DEFAULTS.batch },
    {
      seed: 0,
      steps: 0,
      batch: 1,
      threads: 0,
      saveEvery: 0,
    },
  );
  const { steps, statePath } = distilling;
  if (
    statePath === undefined
      ? distilling.resume || distilling.saveEvery > 0
      : !statePath.endsWith(".safetensors")
  ) {
    throw new UsageError(
      `Cannot distill as "statePath" must name a file ending in .safetensors for the state to be kept in: it is ${excerpt(statePath)}`,
    );
  }
  const training: ResolvedTrainOptions = {
    ...TRAIN_DEFAULTS,
    ...distilling,
    batch: distilling.batch ?? DISTILL_DEFAULTS.batch,
    epochs: steps === 0 ? 0 : 1,
    remainder: "drop",
    // The loss of each expert's steps is chosen for its graph.
    loss: { kind: "output", output: "loss" },
    onEpoch: undefined,
    proximal: undefined,
    controlVariates: undefined,
    curriculum: undefined,
    wasserstein: undefined,
    constraint: undefined,
    move: undefined,
  };
  return {
    ...training,
    steps,
    only: distilling.only,
    temperature: distilling.temperature,
    asked: distilling.batch,
  };
}

async function prepareLesson(engine: Engine, teacher: Teacher, resolved: Resolved): Promise<Lesson> {
  const { graph, data } = teacher;
  const loss = taughtLoss(graph, data, resolved.temperature);
  const size = Math.min(DISTILL_DEFAULTS.batch, Math.max(1, data.size));
  const batch = chooseBatch(graph, resolved.asked ?? (isFixed(graph) ? undefined : size), {
    examples: loss.of.examples,
    size: data.size,
  });
  const freeze = frozenOf(graph, resolved);
  const options: SteppedOptions = { ...resolved, loss, batch, freeze, remainder: TRAIN_DEFAULTS.remainder };
  const prepared = await prepareSteps({ graph, engine, data }, options);
  return { teacher, prepared, teaching: { loss, batch, threads: resolved.threads } };
}

const isFixed = ({ inputs }: Graph): boolean => inputs.some(({ shape }) => typeof shape?.[0] === "number");

const parametersOf = ({ weights }: Graph): string[] =>
  [...weights]
    .filter(([, { role, dtype }]) => role === "parameter" && DTYPES[dtype].float)
    .map(([name]) => name);

/** Returns the names of the parameters of a graph that do not learn. */
function frozenOf(graph: Graph, { freeze, only }: Pick<Resolved, "freeze" | "only">): readonly string[] {
  return parametersOf(graph).filter(
    (name) => matchesAny(freeze, name) || (only.length > 0 && !matchesAny(only, name)),
  );
}

function assertPatterns(graphs: readonly Graph[], { freeze, only }: Pick<Resolved, "freeze" | "only">): void {
  const names = graphs.flatMap(parametersOf);
  for (const pattern of [...freeze, ...only]) {
    if (names.some((name) => matchesAny([pattern], name))) continue;
    throw new OutOfRangeError(
      `Cannot distill by the pattern "${pattern}" as it must match a floating-point parameter: none of ${names.length} does`,
    );
  }
}

/** Returns a graph with the weights of all graphs, in their order. */
function unite(graphs: readonly Graph[]): Graph {
  const [first] = graphs as readonly [Graph];
  return { ...first, weights: new Map(graphs.flatMap(({ weights }) => [...weights])) };
}

/** Returns a graph of the weights that an expert's graph reads, and of the others that the expert has. */
function withWeightsOf(whole: Graph, { graph, weights }: Teacher): Graph {
  const has = (name: string) => graph.weights.has(name) || weights.tensors.has(name);
  return { ...whole, weights: new Map([...whole.weights].filter(([name]) => has(name))) };
}

/** Describes everything that decides the result. */
async function describe(
  lessons: readonly Lesson[],
  {
    whole,
    student,
    resolved,
  }: { readonly whole: Graph; readonly student: Checkpoint; readonly resolved: Resolved },
): Promise<RunDescription> {
  const { steps, temperature, only } = resolved;
  const experts: [string, RunDescription][] = [];
  for (const [i, { teacher, prepared, teaching }] of lessons.entries()) {
    const { graph, ownGraph } = teacher;
    const network = { ...teacher, graph: ownGraph ?? graph, engine: prepared.engine.name };
    const options = { ...resolved, batch: teaching.batch };
    const student = ownGraph && { studentGraph: fingerprintGraph(graph) };
    experts.push([`expert ${i + 1}`, { ...(await describeRun(network, options)), ...student }]);
  }
  return {
    student: await fingerprintWeights(whole, student),
    steps,
    temperature,
    only: only.join(", "),
    ...Object.fromEntries(experts),
  };
}
