import { fileURLToPath } from "node:url";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { planStudy, readStudy } from "@isthmus/study";
import type { Workload } from "../core/cluster.ts";
import type { Measured } from "../measured.ts";
import { simulateStudy } from "./study-tasks.ts";

const STUDY = fileURLToPath(new URL("../../../packages/cli/studies/star-table.yaml", import.meta.url));

/** Makes the workload of the study star-table, from its real plan. */
export async function starTable(measured: Measured): Promise<Workload> {
  const study = await readStudy(STUDY);
  const { tasks } = await planStudy(study, {
    engine: createOnnxRuntimeEngine().name,
    openData: (name, inputs = []) => openDataSet(name, { inputs }),
  });
  return { name: "star-table", title: "Study star-table", tasks: simulateStudy(tasks, measured) };
}
