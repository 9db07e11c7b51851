import type { ResultKind } from "@isthmus/findings";
import { describeSimulation } from "./describe/describe-simulation.ts";
import type { SimulationResult } from "./result/simulation-result.ts";

/** Results of `isthmus federate simulate`: what simulated federations came to. */
export const SIMULATION_RESULT: ResultKind<SimulationResult> = {
  kind: "simulation",
  form: async () => (await import("./result/simulation-form.ts")).SIMULATION_FORM,
  describe: describeSimulation,
  titleOf: ({ title }) => title,
};
