export type { Objective } from "./objective.ts";
export type { Carried, CarriedRole, MaskInput, ScalarInput, TrainingStep } from "./step/training-step.ts";
