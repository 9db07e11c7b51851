import type { DataSet, Graph } from "@isthmus/graph";
import type { TaskData } from "../tasks/task-kind.ts";
import type { Planner } from "./planner.ts";

/** Data that a path is measured on, and that it is trained on before. */
export interface JoinedData {
  /** What the parameters of a task say of them. */
  readonly params: {
    readonly data: TaskData;
    readonly statisticsData?: TaskData;
    readonly trainingData: TaskData;
  };
  /** The examples to train on. */
  readonly trainedOn: DataSet;
}

/**
 * Opens the data of a path that is trained between two networks of one architecture.
 * @throws InputError if data do not fit the networks
 */
export async function openJoinedData(
  {
    trainOn,
    data,
    statisticsData,
  }: Readonly<Record<"trainOn" | "data", string>> & {
    readonly statisticsData?: string | undefined;
  },
  { architecture, batchSize }: { readonly architecture: Graph; readonly batchSize: number },
  planner: Planner,
): Promise<JoinedData> {
  const fitting = { architectures: new Set([architecture]), batchSize };
  const training = await planner.openFor(trainOn, { ...fitting, batchSize: 1 });
  return {
    params: {
      data: (await planner.openFor(data, fitting)).description,
      ...(statisticsData !== undefined && {
        statisticsData: (await planner.openFor(statisticsData, fitting)).description,
      }),
      trainingData: training.description,
    },
    trainedOn: training.data,
  };
}
