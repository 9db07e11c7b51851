import { type Graph, readGraph, readLayersModel } from "@isthmus/graph";

/** Reads the graph of a file: a LayersModel of TensorFlow.js where its name ends in .json, else ONNX. */
export async function readArchitecture(path: string): Promise<Graph> {
  if (!path.toLowerCase().endsWith(".json")) return (await readGraph(path)).graph;
  const { graph, checkpoint } = await readLayersModel(path);
  await checkpoint.close();
  return graph;
}
