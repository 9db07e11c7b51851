import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

/** A small network of random weights, random examples, and options of trainings that take no time. */
export const graph = smallMlp();
export const architecture = { graph, engine: createOnnxRuntimeEngine() };
export const network = randomNetwork(graph, 1);
export const data = randomExamples([6], { size: 64, classes: 4 });
export const OPTIONS = { seed: 3, epochs: 3, batch: 8, threads: 1 } as const;
