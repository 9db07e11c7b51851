import { formatShape } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { MERGE_METHODS, type MergePlan, needsProducts } from "@isthmus/merging";
import {
  type AlignInputs,
  checkMerge,
  createAligner,
  explainPlan,
  groupTensors,
  openRecipe,
  parseRecipe,
  readModelFacts,
  saveRecipe,
  summarizePlan,
} from "@isthmus/recipe";
import { reportAlignment } from "@isthmus/weight-matching";
import type { Handling } from "../protocol.ts";
import type { Explained, Finding, KnownMethod, RecipeProblem, WorkProgress } from "./lab-requests.ts";

/** Name of the recipe in messages, and on the command line. */
export const RECIPE_NAME = "recipe.yml";

/** Most tensors that are explained one by one. */
const MOST_EXPLAINED = 200;

/** Takes networks as they are: what a recipe makes of which tensors does not depend on their order of units. */
const WITHOUT_ALIGNING: AlignInputs = async (inputs) => inputs.map(({ network }) => network);

/** Lists the methods of merging, as their definitions say. */
export function listMethods(): KnownMethod[] {
  return [...MERGE_METHODS.values()].map(({ name, description, source, networks, parameters }) => ({
    name,
    description,
    source,
    base: networks.base,
    least: networks.least,
    most: networks.most,
    parameters: Object.entries(parameters)
      .filter(([, { unused }]) => unused !== true)
      .map(([key, spec]) => ({
        name: key,
        description: spec.description,
        of: spec.of,
        default: spec.default,
        least: spec.least ?? spec.usual?.least,
        most: spec.most ?? spec.usual?.most,
        whole: spec.whole ?? false,
        choices: spec.choices ?? [],
      })),
  }));
}

/** Says what a recipe would make of which tensors, or its problems. */
export async function explainRecipe(text: string, pattern: string): Promise<Explained> {
  const warnings: RecipeProblem[] = [];
  let aligns = false;
  const align: AlignInputs = async (...given) => {
    aligns = true;
    return WITHOUT_ALIGNING(...given);
  };
  try {
    const recipe = parseRecipe(text, RECIPE_NAME);
    const { plan, close } = await openRecipe(recipe, {
      align,
      onWarning: (warning) => warnings.push(...problemsOf(warning)),
    });
    try {
      const { merged, copied, bytesRead, bytesWritten } = summarizePlan(plan);
      const explained = explainPlan(plan, pattern === "" ? undefined : pattern);
      return {
        method: recipe.merge_method,
        problems: [],
        warnings,
        merged,
        copied,
        bytesRead,
        bytesWritten,
        aligns,
        findings: await findObstacles(plan, aligns),
        networks: plan.networks.map(({ source }) => source),
        groups: groupTensors(plan).map(({ pattern: tensors, count, dtype, shape, method, parameters }) => ({
          tensors,
          count,
          dtype,
          shape,
          madeBy: sayMaker(method, parameters),
        })),
        tensors: explained
          .slice(0, MOST_EXPLAINED)
          .map(({ tensor, method, parameters, dtype, shape, reason }) => ({
            name: tensor,
            madeBy: `${sayMaker(method, parameters)}, ${dtype} ${formatShape(shape)}`,
            reason,
          })),
        fitting: explained.length,
      };
    } finally {
      await close();
    }
  } catch (error) {
    return { ...NOTHING, warnings, problems: problemsOf((error as Error).message) };
  }
}

/** Looks at a sample of the networks of a plan, as the command does before it merges. */
async function findObstacles(plan: MergePlan, aligned: boolean): Promise<readonly Finding[]> {
  const facts = await Promise.all(plan.networks.map(({ source }) => readModelFacts(source)));
  return checkMerge(plan, { aligned, facts });
}

const NOTHING: Explained = {
  method: undefined,
  problems: [],
  warnings: [],
  merged: 0,
  copied: 0,
  bytesRead: 0,
  bytesWritten: 0,
  aligns: false,
  findings: [],
  fitting: 0,
  networks: [],
  groups: [],
  tensors: [],
};

/** Names the method that makes a tensor, with its parameters; null stands for a copy. */
function sayMaker(method: string | null, parameters: Readonly<Record<string, unknown>>): string {
  if (method === null) return "copy";
  const said = Object.entries(parameters).map(([name, value]) => `${name} ${[value].flat().join(", ")}`);
  return [method, ...said].join(", ");
}

/**
 * Takes a message apart that lists problems of the recipe, each as `recipe.yml:2: "modles" ...`; another message is one problem,
 * of the line that it names.
 */
function problemsOf(message: string): RecipeProblem[] {
  return message.split("\n").map((part) => {
    const listed = /(?:^|\s)recipe\.yml:(\d+): (.*)$/s.exec(part);
    if (listed !== null) return { line: Number(listed[1]), text: listed[2] ?? part };
    const named = /recipe\.yml:(\d+)/.exec(part);
    return { line: named === null ? undefined : Number(named[1]), text: part };
  });
}

/** What a merge tells beside its file. */
export interface MergeNotes {
  readonly notes: readonly string[];
  /** Whether an input has several files, as the command's result would then. */
  readonly isSharded: boolean;
  /** Whether networks were aligned, for which the command needs the graph. */
  readonly aligns: boolean;
  /** Whether the command would refuse the merge, as its result would be meaningless. */
  readonly isRefused: boolean;
}

/** Merges by a recipe and saves the result as one file, with the same bytes as `isthmus merge`. */
export async function mergeByRecipe(
  text: string,
  {
    output,
    graph,
    engine,
  }: { readonly output: string; readonly graph: string | undefined; readonly engine: () => Promise<Engine> },
  { signal, report }: Handling<WorkProgress>,
): Promise<MergeNotes> {
  const notes: string[] = [];
  const recipe = parseRecipe(text, RECIPE_NAME);
  let aligns = false;
  const align: AlignInputs = async (...given) => {
    aligns = true;
    return createAligner(await engine(), {
      graph,
      signal,
      onProgress: reportAlignment("weight", (stage, done = 0) => report({ done, stage })),
    })(...given);
  };
  const opened = await openRecipe(recipe, { align, onWarning: (warning) => notes.push(warning) });
  if (needsProducts(opened.plan)) {
    notes.push(
      "This method multiplies matrices, which the command does by its native engine: last digits, and the name of the multiplier in the file, differ from the command's",
    );
  }
  try {
    const saved = await saveRecipe(recipe, opened, output, {
      overwrite: true,
      threads: 1,
      maxShardBytes: Number.POSITIVE_INFINITY,
      signal,
      onNote: (note) => notes.push(note),
      onProgress: ({ done }) => report({ done, stage: "Merging" }),
    });
    const isRefused = (await findObstacles(opened.plan, aligns)).some(({ severity }) => severity === "error");
    const isSharded = opened.plan.networks.some(({ files }) => files.length > 1);
    return { notes: [...notes, ...saved.modelFiles.notes], isSharded, aligns, isRefused };
  } finally {
    await opened.close();
  }
}
