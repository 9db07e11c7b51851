import { AsyncLocalStorage } from "node:async_hooks";
import type { FedData } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";

/** Data that the command line under way has opened, by their names. */
const opened = new AsyncLocalStorage<Map<string, FedData>>();

/** Runs a command line and notes its data, so that its results record the scale of bytes. */
export function whileNotingData<T>(work: () => Promise<T>): Promise<T> {
  return opened.run(new Map(), work);
}

/** Notes the scale of the bytes of a data set that networks read; data without bytes are not noted. */
export function noteData({ name, scaling }: Pick<DataSet, "name" | "scaling">): void {
  if (scaling !== undefined) opened.getStore()?.set(name, { name, mean: scaling.mean, std: scaling.std });
}

/** Lists the data noted so far, in the order in which they were opened. */
export function listFedData(): readonly FedData[] {
  return [...(opened.getStore()?.values() ?? [])];
}
