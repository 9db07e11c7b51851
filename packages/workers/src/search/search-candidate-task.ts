import { FormatError, findMisfit, readJsonFile } from "@isthmus/core";
import { DATA_NAME } from "@isthmus/data/forms";
import { PRODUCTS_MODULE } from "@isthmus/engine/products";
import { assertTaskParams, filePath, fingerprint, movePathsBy, schemaOf, seed } from "@isthmus/forms";
import { type Engine, LOSS_FIELD, type NamedLoss, UNREAD_POLICIES } from "@isthmus/graph";
import {
  assertRecipe,
  createAligner,
  fillSearched,
  type MergeJudgeOptions,
  moveRecipePaths,
  type OpenedCandidates,
  openCandidates,
  openJudge,
  type Recipe,
} from "@isthmus/recipe";
import { canonicalJson, pathOf, type TaskKind } from "@isthmus/tasks";
import * as z from "zod";
import { assertSameData } from "../kinds/assert-same-data.ts";
import { CHANNEL_NUMBERS, type DescribedScaling, scalingOf } from "../kinds/described-scaling.ts";
import { holdExamples } from "../kinds/hold-examples.ts";
import { keepLast } from "../kinds/keep-last.ts";
import type { WorkerPorts } from "../kinds/worker-ports.ts";

/** Options for judging merges, as plain data. */
export interface DescribedJudge
  extends Pick<MergeJudgeOptions, "data" | "score" | "graph" | "exportedFrom" | "unread">,
    DescribedScaling {}

/** Parameters of a task that makes a merge of a search, and judges it. */
export interface SearchCandidateParams {
  /** Recipe with ranges; its paths are looked up from the folder of the process that waits for the result. */
  readonly recipe: Recipe;
  /** Numbers in place of its ranges, in their order. */
  readonly values: readonly number[];
  /**
   * Seed of the random choices of merge methods, the same for every candidate; a whole number in `[0, 2^53)`.
   */
  readonly seed: number;
  /**
   * Options for judging, without the names of inputs and outputs of the graph: tasks read such names from a
   * file, as they may look like paths.
   */
  readonly judge: DescribedJudge;
  /** Fingerprint of the examples. */
  readonly digest: string;
}

/** Record of a task that has judged a merge. */
export interface SearchCandidateResult {
  /** Tag of the record. */
  readonly kind: "search-candidate";
  /** Score of the merge, as text if it is not finite. */
  readonly score: number | string;
}

const JUDGE = schemaOf<SearchCandidateParams["judge"]>()(
  z.strictObject({
    data: DATA_NAME,
    score: z.enum(["loss", "error"]),
    mean: CHANNEL_NUMBERS.optional(),
    std: CHANNEL_NUMBERS.optional(),
    graph: filePath.optional(),
    exportedFrom: filePath.optional(),
    unread: z.enum(UNREAD_POLICIES).optional(),
  }),
);

const PARAMS = z.strictObject({
  recipe: z.record(z.string(), z.unknown()),
  values: z.array(z.number()).min(1),
  seed,
  judge: JUDGE,
  digest: fingerprint,
});

const NAMES = z.strictObject({
  input: z.array(z.string()).optional(),
  logits: z.string().optional(),
  loss: z.custom<NamedLoss>((loss) => findMisfit(LOSS_FIELD.form, loss) === undefined).optional(),
});

/**
 * Task that merges by a recipe with numbers in place of its ranges, in memory, and judges the result by
 * examples.
 */
export const searchCandidateTask: TaskKind<SearchCandidateParams, WorkerPorts> = {
  name: "search-candidate",
  version: 1,
  assertParams(params) {
    assertTaskParams("search-candidate", PARAMS, params);
    assertRecipe((params as SearchCandidateParams).recipe);
  },
  movePaths(params, move) {
    const { recipe, judge } = params;
    return { ...params, recipe: moveRecipePaths(recipe, move), judge: movePathsBy(JUDGE, judge, move) };
  },
  async run({ engine, signal }, { values, ...search }, inputs) {
    const candidates = await candidatesOf(search, { engine, names: pathOf(inputs, "names") });
    const score = await candidates.judge(fillSearched(search.recipe, values), signal);
    const result: SearchCandidateResult = {
      kind: "search-candidate",
      score: Number.isFinite(score) ? score : String(score),
    };
    return result;
  },
};

/** Parameters that all tasks of a search share: all but the numbers. */
type SearchParams = Omit<SearchCandidateParams, "values">;

/** Engine and names of the graph for a search. */
interface SearchPlace {
  readonly engine: Engine;
  /** Path of the file with names of the graph. */
  readonly names: string;
}

const keepSearch = keepLast<OpenedCandidates>((candidates) => candidates.close());

async function candidatesOf(search: SearchParams, place: SearchPlace): Promise<OpenedCandidates> {
  const key = canonicalJson([process.cwd(), search, await readJsonFile(place.names)]);
  return keepSearch(key, () => openSearch(search, place));
}

async function openSearch(
  { recipe, seed, judge: described, digest }: SearchParams,
  { engine, names }: SearchPlace,
): Promise<OpenedCandidates> {
  const { data: graphNames, error } = NAMES.safeParse(await readJsonFile(names));
  if (graphNames === undefined) {
    throw new FormatError(
      `Cannot read "${names}" as it must have names of a graph: ${z.prettifyError(error)}`,
      { format: "names" },
    );
  }
  const { mean, std, ...judge } = described;
  const scaling = scalingOf({ mean, std });
  const named = { ...judge, ...graphNames, scaling };
  const judging = await openJudge(recipe, named, { engine, change: holdExamples });
  try {
    assertSameData(judging.examples, digest);
    const opened = await openCandidates(recipe, {
      judge: judging.judge,
      seed,
      align: createAligner(engine),
      productsModule: PRODUCTS_MODULE,
    });
    return {
      ...opened,
      async close() {
        await opened.close();
        await judging.release();
      },
    };
  } catch (failure) {
    await judging.release();
    throw failure;
  }
}
