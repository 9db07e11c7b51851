import { at, type Checkpoint, entry, type Tensor } from "@isthmus/core";
import { bindWeights, type Graph } from "@isthmus/graph";
import type { TrainingStep } from "../step/training-step.ts";
import { createStepRunner, type StepRunner } from "../train/create-step-runner.ts";
import type { PreparedSteps } from "../train/prepare-steps.ts";
import { type LoadedTeacher, loadTeacher, type Teacher, type Teaching, type Tensors } from "./teacher.ts";

/** An expert, and everything that makes steps on its examples. */
export interface Lesson {
  /** Expert that teaches. */
  readonly teacher: Teacher;
  /** Its steps, made with the loss against its answers. */
  readonly prepared: PreparedSteps;
  /** Loss and batch of its steps. */
  readonly teaching: Omit<Teaching, "extents">;
}

/** Runner of steps that learn from several experts in turn. */
export interface TaughtRunner extends StepRunner {
  /** Gives the carried tensors, into which a state was read, to the graphs of all experts. */
  spread(): Promise<void>;
}

/** A lesson, the runner of its steps and the graph that answers for its expert. */
interface OpenLesson extends Lesson {
  readonly runner: StepRunner;
  readonly loaded: LoadedTeacher;
  readonly weights: Tensors;
}

/**
 * Prepares to make steps in turn on the examples of several experts: step `s` of `n` experts learns from
 * expert `s mod n`, whose answers to the batch are computed just before it, so that only the answers to one
 * batch are in memory. All weights of the experts are.
 *
 * Experts of one graph share a session; between sessions of several graphs the tensors of the same name are
 * copied after every step, so that all of them train one network.
 * @param student - weights of all graphs, from which training starts
 */
export async function createTaughtRunner(
  lessons: readonly Lesson[],
  student: Checkpoint,
  { seed, threads }: { readonly seed: number; readonly threads: number },
): Promise<TaughtRunner> {
  const runners = new Map<TrainingStep, StepRunner>();
  const loaded = new Map<Graph | TrainingStep, LoadedTeacher>();
  const release = async (): Promise<void> => {
    for (const resource of [...runners.values(), ...loaded.values()]) await resource.release();
  };
  const hasSeveral = new Set(lessons.map(({ prepared }) => prepared.step)).size > 1;
  try {
    const open: OpenLesson[] = [];
    for (const lesson of lessons) {
      const { teacher, teaching, prepared } = lesson;
      const { step, engine, plan } = prepared;
      const runner =
        runners.get(step) ??
        (await createStepRunner(step, engine, student, { seed, threads, returnsEach: hasSeveral }));
      runners.set(step, runner);
      const key = teacher.ownGraph ?? step;
      const answering = loaded.get(key) ?? (await loadTeacher(teacher, engine, { ...teaching, ...plan }));
      loaded.set(key, answering);
      const weights = await bindWeights(teacher.ownGraph ?? teacher.graph, teacher.weights);
      open.push({ ...lesson, runner, loaded: answering, weights });
    }
    return runnerOf(open, [...runners.values()], release);
  } catch (error) {
    await release();
    throw error;
  }
}

function runnerOf(
  lessons: readonly OpenLesson[],
  runners: readonly StepRunner[],
  release: () => Promise<void>,
): TaughtRunner {
  const carried = async (): Promise<Tensors> => {
    const all = new Map<string, Tensor>();
    for (const runner of runners) {
      for (const [name, tensor] of await runner.carried()) if (!all.has(name)) all.set(name, tensor);
    }
    return all;
  };
  const share = async (from: Tensors): Promise<void> => {
    if (runners.length === 1) return;
    for (const runner of runners) copyInto(from, await runner.carried());
  };
  return {
    carried,
    gradients: new Map(),
    fixed: new Map(runners.flatMap(({ fixed }) => [...fixed])),
    async hold(tensors) {
      for (const runner of runners) await runner.hold(tensors);
    },
    spread: async () => share(await carried()),
    async run(stepAt) {
      const lesson = at(lessons, stepAt.step % lessons.length, "expert");
      const { runner, prepared, loaded, weights } = lesson;
      const { step, batches, filler, plan } = prepared;
      batches.fill(Math.floor(stepAt.step / lessons.length));
      filler.fill();
      const feeds = plan.feedsOf(batches.current);
      const answers = await loaded.answer(weights, feeds, batches.current);
      const outcome = await runner.run(stepAt, new Map([...feeds, ...filler.feeds, [step.targets, answers]]));
      await share(await runner.carried());
      return outcome;
    },
    release,
  };
}

/** Copies the numbers of tensors into other tensors of the same names. */
function copyInto(from: Tensors, into: Tensors): void {
  for (const [name, { data }] of into) {
    if (!from.has(name)) continue;
    const source = entry(from, name, "carried tensor").data;
    if (source !== data) data.set(source as never);
  }
}
