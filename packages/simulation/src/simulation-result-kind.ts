import type { ResultKind } from "@isthmus/findings";
import { describeSimulation } from "./describe/describe-simulation.ts";
import type { SimulationResult } from "./result/simulation-result.ts";

/** Kind of the results of `isthmus federate simulate`, of simulated federations. */
export const SIMULATION_RESULT: ResultKind<SimulationResult> = {
  kind: "simulation",
  form: async () => (await import("./result/simulation-form.ts")).SIMULATION_FORM,
  describe: describeSimulation,
  titleOf: ({ title }) => title,
};
