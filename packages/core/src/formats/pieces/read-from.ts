import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { ReadPart } from "./piece.ts";

/** Makes a function that reads a tensor of a checkpoint as a part of a larger one, from an element on. */
export function readFrom(checkpoint: Checkpoint, name: string, from = 0): ReadPart {
  return (begin, out) => checkpoint.readRangeInto(name, from + begin, out);
}
